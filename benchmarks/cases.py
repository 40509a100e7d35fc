"""What goes wrong in the comparison of behaviour: each case, and how it is brought about."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Literal

from momokit.emulator import Emulator

POST = "RequesttoPay"
STATUS = "RequesttoPayTransactionStatus"
TOKEN = "CreateAccessToken"
PAYER = "256772123456"

Arrange = Callable[[Emulator], Any]


def _nothing(emulator: Emulator) -> None:
    pass


@dataclass(frozen=True, slots=True, kw_only=True)
class Case:
    """One thing that goes wrong.

    `kind` is the script that is followed: "pay" pays once and, after an error, does what the usage
    does next; "twice" makes the same call twice though nothing was seen to fail; "crowd" makes
    twenty first calls at once; "value" pays with a doubtful value and, if that was accepted, asks
    what became of it; "status" pays and then asks. `prepare` comes before the payment of a
    "status" case; `arrange` switches the trouble on; `relief` is what has changed by the time the
    caller tries again. `paid_before` makes one payment go well first. `right` is how many payments
    there should be in the end, None where either answer can be defended.
    """

    name: str
    story: str
    kind: Literal["pay", "twice", "crowd", "value", "status"] = "pay"
    arrange: Arrange = _nothing
    relief: Arrange = _nothing
    market: str = "mtnuganda"
    amount: Any = "5000"
    payer: str = PAYER
    prepare: Arrange = _nothing
    paid_before: bool = False
    right: int | None = 1


def _fault(name: str, operation: str = POST, *, times: int | None = 1, **more: Any) -> Arrange:
    def arrange(emulator: Emulator) -> None:
        emulator.faults.add(name, operation=operation, times=times, **more)

    return arrange


def _line_is_cut(emulator: Emulator) -> None:
    emulator.faults.add("drop_response", operation=POST)
    emulator.faults.add("drop_request", operation=STATUS)


def _unknown_word(emulator: Emulator) -> None:
    for record in emulator.state.records.values():
        record.status = "UNDER_REVIEW"


def _decided(outcome: str) -> Arrange:
    def arrange(emulator: Emulator) -> None:
        emulator.scenarios.set(operation="requesttopay", outcome=outcome)

    return arrange


def _relieved(emulator: Emulator) -> None:
    emulator.faults.clear()


CASES = (
    Case(
        name="The answer is lost",
        story="MTN took the request and the connection closed before the answer came.",
        arrange=_fault("drop_response"),
    ),
    Case(
        name="The line is down for longer",
        story="Requests arrive and every answer is lost, until the caller tries again later.",
        arrange=_line_is_cut,
        relief=_relieved,
    ),
    Case(
        name="503 on the first POST",
        story="A 503 that processed nothing.",
        arrange=_fault("status", code=503),
    ),
    Case(
        name="503, and yet it was taken",
        story="A 503 from something in between, although MTN took the request.",
        arrange=_fault("status", code=503, processed=True),
    ),
    Case(
        name="An HTML error page",
        story="A 502 with a proxy's page instead of JSON, although MTN took the request.",
        arrange=_fault("html_error", code=502, processed=True),
    ),
    Case(
        name="The token is revoked",
        story="A payment has gone well; then MTN forgets the token before its time.",
        arrange=_fault("token_revoke"),
        paid_before=True,
        right=2,
    ),
    Case(
        name="An empty 401",
        story="A good token is answered 401 without a body, once.",
        arrange=_fault("401_random"),
    ),
    Case(
        name="The caller repeats himself",
        story="The caller died after sending and sends the same order again: MTN answers 409.",
        kind="twice",
    ),
    Case(
        name="Twenty first calls at once",
        story="Twenty threads make twenty payments with a client that has no token yet.",
        kind="crowd",
        arrange=_fault("delay", TOKEN, times=None, seconds=0.05),
        right=20,
    ),
    Case(
        name="A negative amount",
        story='`"-5000"` shillings.',
        kind="value",
        amount="-5000",
        right=0,
    ),
    Case(
        name="A float, whole",
        story="`5000.0` shillings, as a spreadsheet or a JSON file gives them.",
        kind="value",
        amount=5000.0,
        right=None,
    ),
    Case(
        name="A float, broken",
        story="`0.1 + 0.2` cedis in Ghana, as Python adds.",
        kind="value",
        amount=0.1 + 0.2,
        market="mtnghana",
        payer="233241234567",
        right=0,
    ),
    Case(
        name="A fraction of a shilling",
        story='`"5000.50"` UGX in Uganda; the shilling has no cents.',
        kind="value",
        amount="5000.50",
        right=0,
    ),
    Case(
        name="A fraction of a franc",
        story='`"5000.50"` XAF in Cameroon; the franc has none either.',
        kind="value",
        amount="5000.50",
        market="mtncameroon",
        payer="237670123456",
        right=0,
    ),
    Case(
        name="A number as people write it",
        story="`0772 123 456`, in Uganda: a good number, for a person.",
        kind="value",
        payer="0772 123 456",
    ),
    Case(
        name="A foreign number",
        story="A Kenyan number, asked to pay in Uganda.",
        kind="value",
        payer="254712345678",
        right=0,
    ),
    Case(
        name="A page where the status should be",
        story="The status is answered 200 with an HTML page (a captive portal), once.",
        kind="status",
        arrange=_fault("html_error", STATUS, code=200),
    ),
    Case(
        name="The status answer is lost",
        story="The connection closes before the status comes, once.",
        kind="status",
        arrange=_fault("drop_response", STATUS),
    ),
    Case(
        name="An unknown status word",
        story="MTN answers with a status word that nobody knows yet, `UNDER_REVIEW`.",
        kind="status",
        prepare=_decided("pending"),
        arrange=_unknown_word,
        right=0,
    ),
    Case(
        name="A reason that is a string",
        story='A payment failed, and MTN writes `"reason": "NOT_ENOUGH_FUNDS"`, as it does.',
        kind="status",
        prepare=_decided("NOT_ENOUGH_FUNDS"),
        right=0,
    ),
)
