"""Over real sockets, with every fault of the wire on: money moves as often as it was meant to."""

from __future__ import annotations

from collections.abc import Generator
from typing import Any

import pytest

from momokit import NotSent, OutcomeUnknown, ProviderError, Refused
from momokit.emulator import Emulator
from tests.journeys.colours import COLOURS, Colour, journey

# Every fault that disturbs the exchange itself: fault, parameters.
WIRE_FAULTS: tuple[tuple[str, dict[str, Any]], ...] = (
    ("drop_request", {}),
    ("drop_request", {"how": "reset"}),
    ("drop_response", {}),
    ("drop_response", {"how": "reset"}),
    ("delay", {"seconds": 0.05}),
    ("reset", {"stage": "before"}),
    ("reset", {"stage": "after"}),
    ("reset", {"stage": "headers"}),
    ("reset", {"stage": "body"}),
    ("truncate", {"n": 3}),
    ("slowloris", {"n": 8, "seconds": 0.001}),
    ("html_error", {"code": 502, "processed": False}),
    ("html_error", {"code": 502, "processed": True}),
    ("html_error", {"code": 200, "processed": False}),
    ("bad_json", {}),
    ("status", {"code": 503, "processed": False}),
    ("status", {"code": 503, "processed": True}),
    ("status", {"code": 500, "body_code": "INTERNAL_PROCESSING_ERROR", "processed": True}),
    ("status", {"code": 504, "body_code": "", "processed": True}),
    ("lag_404", {"seconds": 0.05}),
    ("token_revoke", {}),
    ("token_5xx", {}),
    ("401_random", {}),
)

# What each kind needs, and which way its money goes.
KINDS: tuple[tuple[str, str, dict[str, Any]], ...] = (
    ("collection", "request_to_pay", {"payer": "46733123999"}),
    ("disbursement", "transfer", {"payee": "46733123999"}),
)


@pytest.mark.parametrize("colour", COLOURS)
@pytest.mark.parametrize(("product", "kind", "party"), KINDS, ids=[kind for _, kind, _ in KINDS])
@pytest.mark.parametrize(
    ("fault", "parameters"), WIRE_FAULTS, ids=[f"{name}-{p}" for name, p in WIRE_FAULTS]
)
def test_one_disturbed_call_still_moves_money_once(
    fault: str,
    parameters: dict[str, Any],
    product: str,
    kind: str,
    party: dict[str, str],
    colour: Colour,
    momo_emulator: Emulator,
    momo_emulator_url: str,
) -> None:
    """One fault on the first call is overcome without help, and the money moves exactly once."""
    momo_emulator.faults.add(fault, times=1, **parameters)

    def steps(client: Any) -> Generator[Any, Any, str]:
        accepted = yield lambda: getattr(getattr(client, product), kind)(amount="7", **party)
        result = yield lambda: client.wait(accepted, timeout_seconds=5)
        assert result.state == "successful"
        return str(accepted.reference_id)

    reference_id = journey(colour, momo_emulator, momo_emulator_url, steps)

    assert momo_emulator.money_moved(reference_id).times == 1


@pytest.mark.parametrize("colour", COLOURS)
@pytest.mark.parametrize("seed", range(6))
def test_in_a_storm_every_outcome_told_is_true(
    seed: int, colour: Colour, momo_emulator: Emulator, momo_emulator_url: str
) -> None:
    """With a third of all calls disturbed, no outcome is told that the provider's books deny."""
    momo_emulator.reset()
    names = [WIRE_FAULTS[(seed * 5 + n * 4) % len(WIRE_FAULTS)] for n in range(5)]
    for name, parameters in names:
        momo_emulator.faults.add(name, rate=0.12, **parameters)
    told: dict[str, str] = {}

    def steps(client: Any) -> Generator[Any, Any, None]:
        for number in range(12):
            key = f"storm-{seed}-{number}"
            try:
                accepted = yield lambda key=key: client.disbursement.transfer(
                    amount="3", payee="46733123999", idempotency_key=key
                )
            except OutcomeUnknown as error:
                told[str(error.reference_id)] = "unknown"
            except (Refused, NotSent) as error:
                told[str(error.reference_id)] = "no"
            else:
                told[accepted.reference_id] = "yes"

    journey(colour, momo_emulator, momo_emulator_url, steps)

    for reference_id, word in told.items():
        times = momo_emulator.money_moved(reference_id).times
        allowed = {"yes": {1}, "no": {0}, "unknown": {0, 1}}[word]
        assert times in allowed, (word, names)
    assert len(told) == 12


@pytest.mark.parametrize("colour", COLOURS)
def test_a_call_that_was_given_up_can_be_repeated_by_its_key(
    colour: Colour, momo_emulator: Emulator, momo_emulator_url: str
) -> None:
    """After an unknown outcome the same idempotency key finds the first payment; it pays once."""
    momo_emulator.faults.add("drop_response", operation="Transfer", times=1)
    momo_emulator.faults.add("status", operation="GetTransferStatus", code=503, times=3)

    def steps(client: Any) -> Generator[Any, Any, tuple[str, str]]:
        def pay() -> Any:
            return client.disbursement.transfer(
                amount="9", payee="46733123999", idempotency_key="salary-2026-11-anna"
            )

        with pytest.raises(OutcomeUnknown) as caught:
            yield pay
        first = str(caught.value.reference_id)
        again = yield pay
        assert again.replayed
        return first, again.reference_id

    first, second = journey(colour, momo_emulator, momo_emulator_url, steps)

    assert second == first
    assert momo_emulator.money_moved(first).times == 1


@pytest.mark.parametrize("colour", COLOURS)
def test_resolve_tells_what_became_of_an_unknown_payment(
    colour: Colour, momo_emulator: Emulator, momo_emulator_url: str
) -> None:
    """`resolve()` asks MTN; it finds a payment whose answer was lost."""
    momo_emulator.faults.add("drop_response", operation="RequesttoPay", times=1)
    momo_emulator.faults.add("status", operation="RequesttoPayTransactionStatus", code=503, times=3)

    def steps(client: Any) -> Generator[Any, Any, Any]:
        with pytest.raises(OutcomeUnknown) as caught:
            yield lambda: client.collection.request_to_pay(amount="5", payer="46733123999")
        return (yield caught.value.resolve)

    resolution = journey(colour, momo_emulator, momo_emulator_url, steps)

    assert resolution.state == "accepted"
    assert resolution.outcome.status == "SUCCESSFUL"


@pytest.mark.parametrize("colour", COLOURS)
def test_resolve_can_resend_what_never_arrived(
    colour: Colour, momo_emulator: Emulator, momo_emulator_url: str
) -> None:
    """A lost request is first reported as not found, and resent under the same id when asked."""
    momo_emulator.faults.add("drop_request", operation="Transfer", times=1)
    momo_emulator.faults.add("status", operation="GetTransferStatus", code=503, times=3)

    def steps(client: Any) -> Generator[Any, Any, Any]:
        with pytest.raises(OutcomeUnknown) as caught:
            yield lambda: client.disbursement.transfer(amount="5", payee="46733123999")
        asked = yield caught.value.resolve
        resent = yield lambda: caught.value.resolve(resend=True)
        return caught.value.reference_id, asked, resent

    reference_id, asked, resent = journey(colour, momo_emulator, momo_emulator_url, steps)

    assert (asked.state, resent.state) == ("not_found", "accepted")
    assert momo_emulator.money_moved(reference_id).times == 1


@pytest.mark.parametrize(
    ("fault", "parameters"),
    [
        ("403_ip", {}),
        ("status", {"code": 500, "body_code": "NOT_ALLOWED_TARGET_ENVIRONMENT"}),
        ("status", {"code": 500, "body_code": "INVALID_CALLBACK_URL_HOST"}),
        ("status", {"code": 400, "body_code": ""}),
    ],
)
def test_a_plain_no_is_not_repeated(
    fault: str, parameters: dict[str, Any], momo_emulator: Emulator, momo_emulator_url: str
) -> None:
    """Permanent errors are sent once, also when they come as 500, and nothing moves."""
    momo_emulator.faults.add(fault, operation="Transfer", **parameters)

    def steps(client: Any) -> Generator[Any, Any, ProviderError]:
        with pytest.raises(Refused) as caught:
            yield lambda: client.disbursement.transfer(amount="5", payee="46733123999")
        return caught.value

    error = journey("blocking", momo_emulator, momo_emulator_url, steps)

    sent = [entry for entry in momo_emulator.history if entry.operation == "Transfer"]
    assert len(sent) == 1
    assert momo_emulator.money_moved(error.reference_id).times == 0
