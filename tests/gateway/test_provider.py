"""MTN as the gateway sees it: each answer made a fact, over a real socket."""

from __future__ import annotations

import asyncio
import uuid
from collections.abc import AsyncIterator, Iterator
from dataclasses import dataclass, replace
from decimal import Decimal
from typing import Any

import pytest

from momokit.emulator import Emulator, running
from momokit.gateway.core.facts import (
    CancelAnswered,
    Doubt,
    NeverLeft,
    NoAnswer,
    NotKnown,
    Taken,
    Told,
    TurnedDown,
)
from momokit.gateway.core.outgoing import Outgoing
from momokit.gateway.orders import Order, new_payment
from momokit.gateway.provider import UNCLEAR_LOGIN, Provider
from momokit.market import market
from momokit.operations.forms import Forms
from momokit.settings import Credentials, Settings

pytestmark = pytest.mark.anyio
PAYER, PAYEE = "46733123901", "46733123902"
FORMS = Forms(market=market("sandbox"), new_id=lambda: str(uuid.uuid4()))


@pytest.fixture
def anyio_backend() -> str:
    """Run coroutines on asyncio, which the gateway is made for."""
    return "asyncio"


@dataclass
class Place:
    """A provider with MTN behind it."""

    provider: Provider
    emulator: Emulator


@pytest.fixture
def mtn() -> Iterator[tuple[Emulator, Settings]]:
    """Give the emulator, and the settings of an account there."""
    with running(Emulator()) as server:
        made = server.emulator.provision(callback_host="127.0.0.1")
        keys = Credentials(
            subscription_key=made.subscription_key, api_user=made.api_user, api_key=made.api_key
        )
        settings = Settings(
            market="sandbox", base_url=server.base_url, collection=keys, disbursement=keys,
            deadline_seconds=2.0,
        )  # fmt: skip
        yield server.emulator, settings


@pytest.fixture
async def place(mtn: tuple[Emulator, Settings]) -> AsyncIterator[Place]:
    """Give a provider, to be closed."""
    emulator, settings = mtn
    provider = Provider(lambda _account_id: settings)
    yield Place(provider, emulator)
    await provider.close()


def outgoing(kind: str = "transfer", **changes: Any) -> Outgoing:
    """Make what is sent for one payment."""
    party = PAYEE if kind in ("transfer", "deposit") else PAYER
    details = {"payee": PAYEE} if kind == "invoice" else {}
    order = Order(kind=kind, amount="5", party=party, details=details, **changes)
    new = new_payment(order, forms=FORMS, account_id="acc_1", api_key_id=None, public_url=None)
    return Outgoing(
        payment_id=new.id, account_id="acc_1", kind=kind, product=new.product,
        operation=new.operation, reference_id=new.reference_id, external_id=new.external_id,
        path=new.path, headers=new.headers, body=new.body,
    )  # fmt: skip


async def test_a_send_that_is_taken_is_known_by_all_that_was_sent(place: Place) -> None:
    """202, then 409 on the same: taken both times, and MTN's answer is told whole."""
    one = outgoing()
    first, again = await place.provider.submit(one), await place.provider.submit(one)
    told = (await place.provider.status(one)).fact

    assert (first.fact, first.known_before) == (Taken(), False)
    assert (again.fact, again.known_before) == (Taken(), True)
    assert isinstance(told, Told)
    assert (told.status, told.amount, told.party_id) == ("SUCCESSFUL", Decimal("5"), PAYEE)
    assert (told.external_id, told.currency) == (one.external_id, "EUR")


@pytest.mark.parametrize("field", ["amount", "party", "external_id"])
async def test_fm_10_other_content_under_our_number_is_a_doubt_and_a_stop(
    field: str, place: Place
) -> None:
    """409 for what is not this payment: it is neither failed nor taken, and sends stop."""
    ours = outgoing()
    changed = {"amount": b'"6"', "party": b"46733123999", "external_id": b"other"}
    told_apart = {
        "amount": b'"5"',
        "party": PAYEE.encode(),
        "external_id": ours.external_id.encode(),
    }
    await place.provider.submit(
        replace(
            ours, external_id="other" if field == "external_id" else ours.external_id,
            body=ours.body.replace(told_apart[field], changed[field]),
        )
    )  # fmt: skip
    learned = await place.provider.submit(ours)

    assert isinstance(learned.fact, Doubt)
    assert learned.known_before is True
    assert "another" in (learned.lane_stop or "")


@pytest.mark.parametrize(
    ("answer", "fact", "stops"),
    [
        ({"code": 500, "body_code": "PAYEE_NOT_FOUND"},
         TurnedDown(code="PAYEE_NOT_FOUND", status=500), None),
        ({"code": 500, "body_code": "INVALID_CURRENCY"},
         TurnedDown(code="INVALID_CURRENCY", status=500), "INVALID_CURRENCY"),
        ({"code": 400, "body_code": ""}, TurnedDown(code=None, status=400), None),
        ({"code": 404, "body_code": ""}, TurnedDown(code="UNKNOWN_PATH", status=404), "path"),
    ],
    ids=["a payment's", "a setting's", "the form's", "the address's"],
)  # fmt: skip
async def test_fm_16_a_no_is_read_by_its_code(
    answer: dict[str, Any], fact: TurnedDown, stops: str | None, place: Place
) -> None:
    """What would meet every payment alike stops the lane, by a reason that names it."""
    place.emulator.faults.add("status", operation="Transfer", **answer)
    learned = await place.provider.submit(outgoing())

    assert learned.fact == fact
    assert (learned.lane_stop is None) == (stops is None)


async def test_fm_16_a_token_that_is_refused_without_a_reason_is_told_apart_from_an_outage(
    place: Place,
) -> None:
    """500 may mean a wrong key; 503 does not."""
    faults = place.emulator.faults
    faults.add("status", code=500, body_code="INTERNAL_PROCESSING_ERROR", times=1,
               operation="CreateAccessToken")  # fmt: skip
    unclear = (await place.provider.submit(outgoing())).fact
    faults.add("token_5xx", code=503, times=1)
    outage = (await place.provider.submit(outgoing())).fact

    assert isinstance(unclear, NeverLeft)
    assert isinstance(outage, NeverLeft)
    assert (unclear.setting, outage.setting) == (UNCLEAR_LOGIN, None)


async def test_an_invoice_is_cancelled_under_one_number(place: Place) -> None:
    """MTN takes it; asked twice under the same number it is refused, and its status tells."""
    invoice, reference_id = outgoing("invoice"), str(uuid.uuid4())
    place.emulator.scenarios.set(identifier=PAYER, outcome="Ongoing")
    await place.provider.submit(invoice)
    first = (await place.provider.cancel(invoice, reference_id=reference_id)).fact
    again = (await place.provider.cancel(invoice, reference_id=reference_id)).fact
    told = (await place.provider.status(invoice)).fact

    assert first == CancelAnswered(taken=True)
    assert isinstance(again, CancelAnswered)
    assert isinstance(told, Told)
    assert (told.status, told.reason_code) == ("FAILED", "TRANSACTION_CANCELED")


async def test_a_pre_approval_that_is_cancelled_is_seen_in_the_list(place: Place) -> None:
    """Its own status goes on saying how the request ended; MTN's list says what it is now."""
    mandate = outgoing("pre_approval")
    await place.provider.submit(mandate)
    await place.provider.cancel(mandate, reference_id=str(uuid.uuid4()))
    plain = (await place.provider.status(mandate)).fact
    seen = (await place.provider.status(replace(mandate, is_cancelling=True))).fact

    assert isinstance(plain, Told)
    assert isinstance(seen, Told)
    assert (plain.status, seen.status) == ("SUCCESSFUL", "CANCELLED")


@pytest.mark.parametrize(
    ("fault", "parameters", "kind"),
    [
        ("drop_response", {}, NoAnswer),
        ("status", {"code": 503}, NoAnswer),
        ("status", {"code": 401, "body_code": ""}, NoAnswer),
        ("status", {"code": 400, "body_code": ""}, CancelAnswered),
    ],
)
async def test_only_a_no_is_a_no_to_a_cancellation(
    fault: str, parameters: dict[str, Any], kind: type, place: Place
) -> None:
    """What is lost, or is about our own access, leaves the wish where it was."""
    invoice = outgoing("invoice")
    await place.provider.submit(invoice)
    place.emulator.faults.add(fault, operation="CancelInvoice", **parameters)
    learned = await place.provider.cancel(invoice, reference_id=str(uuid.uuid4()))

    assert type(learned.fact) is kind


async def test_what_mtn_does_not_know_is_said_so(place: Place) -> None:
    """404 with MTN's code is about the payment."""
    assert (await place.provider.status(outgoing())).fact == NotKnown()


async def test_a_call_under_way_ends_though_its_account_is_changed(place: Place) -> None:
    """The old client is let go of, not cut off; what comes next has a new one."""
    place.emulator.faults.add("delay", operation="Transfer", seconds=0.2)
    one, before = outgoing(), place.provider.client("acc_1")
    sending = asyncio.create_task(place.provider.submit(one))
    await asyncio.sleep(0.05)
    await place.provider.forget("acc_1")

    assert (await sending).fact == Taken()
    assert place.provider.client("acc_1") is not before
