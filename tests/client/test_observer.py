"""The observer: told of every call to MTN, in both colours, for metrics and traces."""

from __future__ import annotations

import httpx2
import pytest

from momokit import Exchanged, NotFound, OutcomeUnknown
from tests.client.catalogue import PAYER, REF, TOKEN
from tests.client.colours import COLOURS, QUICK, Colour, perform


@pytest.mark.parametrize("colour", COLOURS)
def test_an_observer_is_told_of_every_call(colour: Colour) -> None:
    """Metrics learn the operation, the answer and its code, of tokens and of payments alike."""
    told: list[Exchanged] = []

    def answer(request: httpx2.Request) -> httpx2.Response:
        if request.url.path.endswith("/token/"):
            return httpx2.Response(200, json=TOKEN)
        return httpx2.Response(404, json={"code": "RESOURCE_NOT_FOUND", "message": "gone"})

    with pytest.raises(NotFound):
        perform(
            colour,
            lambda client: client.disbursement.transfer_status(REF),
            handler=answer,
            observe=told.append,
        )

    assert [(one.operation, one.status, one.code, one.failure) for one in told] == [
        ("CreateAccessToken", 200, None, None),
        ("GetTransferStatus", 404, "RESOURCE_NOT_FOUND", None),
    ]
    assert min(one.seconds for one in told) >= 0.0


@pytest.mark.parametrize("colour", COLOURS)
def test_an_observer_hears_of_silence_and_may_fail(colour: Colour) -> None:
    """No answer is told as such, and an observer that raises costs the payment nothing."""
    told: list[str | None] = []

    def answer(request: httpx2.Request) -> httpx2.Response:
        if request.url.path.endswith("/token/"):
            return httpx2.Response(200, json=TOKEN)
        raise httpx2.ReadTimeout("nothing came")

    def observe(one: Exchanged) -> None:
        told.append(one.failure)
        raise ZeroDivisionError

    with pytest.raises(OutcomeUnknown):
        perform(
            colour,
            lambda client: client.disbursement.transfer(amount="5", payee=PAYER, reference_id=REF),
            handler=answer,
            observe=observe,
            retry=QUICK,
        )

    assert told[0] is None
    assert set(told[1:]) == {"timeout"}
