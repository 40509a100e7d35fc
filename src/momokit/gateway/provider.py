"""MTN as the gateway sees it: a client per account, each call once, each answer made a fact.

The client's own retries are off here: the payment's row says when to try again, so that a crash in
between forgets nothing.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass, replace
from decimal import Decimal
from typing import Any, TypeAlias

import msgspec

from momokit._async.client import AsyncClient
from momokit.errors import (
    AlreadyExists,
    AuthenticationFailed,
    ConfigurationError,
    MomoError,
    NotFound,
    NotSent,
    OutcomeUnknown,
    PermissionDenied,
    ProviderError,
    RateLimited,
    Refused,
)
from momokit.gateway.core.facts import (
    CancelAnswered,
    Doubt,
    Fact,
    NeverLeft,
    NoAnswer,
    NotKnown,
    Taken,
    Told,
    TurnedDown,
)
from momokit.gateway.core.outgoing import Outgoing
from momokit.gateway.core.payment import SETTING_CODES, Work
from momokit.gateway.provider_lines import ProviderLines
from momokit.models import Outcome
from momokit.operations.collection import (
    approved_pre_approvals,
    invoice_cancellation,
    pre_approval_cancellation,
)
from momokit.operations.exchange import Observer, Request
from momokit.operations.forms import Filing
from momokit.operations.kind import Kind
from momokit.operations.registry import find_kind, status_of
from momokit.operations.submit import Submission
from momokit.party import Party
from momokit.retry import RetryPolicy
from momokit.settings import Settings, product_named

ONCE = RetryPolicy(attempts=1)

UNCLEAR_LOGIN = (
    "MTN's token endpoint answers 500 again and again. It does so when it is unwell, and also when"
    " the API user or its key is wrong: check both, and that they belong to this product."
)
"""Raised when no token is to be had for long, and MTN does not say why."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Learned:
    """A fact about one payment, and what it says of the account's whole lane, if anything.

    `known_before` says that MTN had the reference id already when this send came.
    """

    fact: Fact
    lane_stop: str | None = None
    known_before: bool = False


Listener: TypeAlias = Callable[[Outgoing, Work, Learned], None]
"""Is told what each send and each question came to."""


class Provider:
    """Speaks to MTN for all accounts. `settings_of` gives an account's settings, secrets opened."""

    def __init__(
        self,
        settings_of: Callable[[str], Settings],
        *,
        transport_of: Callable[[str], Any] | None = None,
        observe: Observer | None = None,
        listen: Listener | None = None,
    ) -> None:
        self._settings_of = settings_of
        self._listen = listen
        self._transport_of = transport_of
        self._observe = observe
        self._lines = ProviderLines()
        self._clients: dict[str, AsyncClient] = {}
        self._retiring: set[asyncio.Task[None]] = set()
        self._closing = asyncio.Event()

    def client(self, account_id: str) -> AsyncClient:
        """Give the account's client, made when first used."""
        found = self._clients.get(account_id)
        if found is None:
            settings = self._settings_of(account_id)
            transport = (
                self._transport_of(account_id)
                if self._transport_of is not None
                else self._lines.transport(settings)
            )
            found = AsyncClient(settings, retry=ONCE, transport=transport, observe=self._observe)
            self._clients[account_id] = found
        return found

    async def forget(self, account_id: str) -> None:
        """Drop an account's client, so that changed settings take hold.

        It is closed once the calls that are under way on it must have ended.
        """
        client = self._clients.pop(account_id, None)
        if client is not None:
            task = asyncio.create_task(self._retire(client), name=f"retire {account_id}")
            self._retiring.add(task)
            task.add_done_callback(self._retiring.discard)

    async def _retire(self, client: AsyncClient) -> None:
        # Every call ends by its deadline, so none is left on it after one.
        with suppress(TimeoutError):
            await asyncio.wait_for(self._closing.wait(), client.settings.deadline_seconds)
        await client.aclose()

    async def close(self) -> None:
        """Close all connections, without waiting for anything."""
        self._closing.set()
        for account_id in list(self._clients):
            await self.forget(account_id)
        await asyncio.gather(*self._retiring)
        await self._lines.close()

    async def submit(self, outgoing: Outgoing) -> Learned:
        """Put a payment to MTN once."""
        learned = await self._submit(outgoing)
        if self._listen is not None:
            self._listen(outgoing, Work.SUBMIT, learned)
        return learned

    async def _submit(self, outgoing: Outgoing) -> Learned:
        core = self.client(outgoing.account_id)._core
        try:
            access = core.access(product_named(outgoing.product))
            accepted = await core.submit(access, _submission(outgoing))
        except OutcomeUnknown as error:
            return Learned(fact=Doubt(why=error.message))
        except (AuthenticationFailed, PermissionDenied, ConfigurationError) as error:
            # Nothing is wrong with the payment: its lane is closed, and it waits for that to end.
            return Learned(fact=NeverLeft(why=error.message), lane_stop=_stop(error))
        except AlreadyExists as error:
            # MTN has other content under our number: it is asked about, and a person looks.
            return Learned(fact=Doubt(why=error.message), lane_stop=_stop(error), known_before=True)
        except Refused as error:
            return _turned_down(error)
        except RateLimited as error:
            return Learned(
                fact=NeverLeft(why=error.message, retry_after_seconds=error.retry_after_seconds)
            )
        except NotSent as error:
            unclear = error.operation == "CreateAccessToken" and error.status == 500
            setting = UNCLEAR_LOGIN if unclear else None
            return Learned(fact=NeverLeft(why=error.message, setting=setting))
        return Learned(fact=Taken(), known_before=accepted.replayed)

    async def cancel(self, outgoing: Outgoing, *, reference_id: str, failures: int = 0) -> Learned:
        """Ask MTN to cancel an invoice or a pre-approval that it has.

        `reference_id` is the cancellation's own, the same each time it is asked for. What became of
        the payment is for `status` to say.
        """
        client = self.client(outgoing.account_id)
        try:
            access = client._core.access(product_named(outgoing.product))
            await client._core.submit(access, _cancellation(client, outgoing, reference_id))
        except (AuthenticationFailed, PermissionDenied, ConfigurationError) as error:
            return Learned(fact=NoAnswer(why=error.message, failures=failures + 1))
        except Refused as error:
            if error.status == 404 and error.code is None:  # the gateway's own: of the path
                return Learned(fact=NoAnswer(why=error.message, failures=failures + 1))
            return Learned(fact=CancelAnswered(taken=False, code=error.code, status=error.status))
        except ProviderError as error:
            return Learned(fact=NoAnswer(why=error.message, failures=failures + 1))
        return Learned(fact=CancelAnswered(taken=True))

    async def status(self, outgoing: Outgoing, *, failures: int = 0) -> Learned:
        """Ask MTN how a payment stands. `failures` counts the unanswered questions before this."""
        learned = await self._status(outgoing, failures=failures)
        if self._listen is not None:
            self._listen(outgoing, Work.SETTLE, learned)
        return learned

    async def _status(self, outgoing: Outgoing, *, failures: int) -> Learned:
        core = self.client(outgoing.account_id)._core
        kind = find_kind(outgoing.kind, outgoing.product)
        try:
            access = core.access(product_named(outgoing.product))
            outcome = await core.run(status_of(access, kind, outgoing.reference_id))
            word = await self._listed(outgoing) if outgoing.is_cancelling else None
        except NotFound as error:
            # The gateway's own 404 speaks of the path, not of the payment.
            if error.code is None:
                return Learned(fact=NoAnswer(why=error.message, failures=failures + 1))
            return Learned(fact=NotKnown())
        except (AuthenticationFailed, PermissionDenied, ConfigurationError) as error:
            fact = NoAnswer(why=error.message, failures=failures + 1)
            return Learned(fact=fact, lane_stop=_stop(error))
        except ProviderError as error:
            return Learned(fact=NoAnswer(why=error.message, failures=failures + 1))
        fact_told = told(outcome, kind)
        return Learned(fact=replace(fact_told, status=word) if word else fact_told)

    async def _listed(self, outgoing: Outgoing) -> str | None:
        """Read a pre-approval's word in MTN's list: its own status goes on telling how the request
        ended, and does not change when it is cancelled."""
        if outgoing.kind != "pre_approval":
            return None
        client = self.client(outgoing.account_id)
        payer = _body(outgoing).get("payer") or {}
        party = Party(payer.get("partyIdType", "MSISDN"), payer.get("partyId", ""))
        access = client._core.access(product_named(outgoing.product))
        listed = await client._core.run(
            approved_pre_approvals(access, client._core.forms, payer=party)
        )
        own = [one.status for one in listed if one.pre_approval_id == outgoing.reference_id]
        return own[0] if own else None


def told(outcome: Outcome, kind: Kind) -> Told:
    """Turn MTN's status answer into a fact, with what it takes to recognise the payment."""
    party = getattr(outcome, "payer", None) or getattr(outcome, "payee", None)
    # A refund names as payee the payer of the request refunded; we did not send it.
    if kind.name == "refund":
        party = None
    reason = outcome.reason
    return Told(
        status=outcome.status,
        reason_code=(reason.code or None) if reason is not None else None,
        financial_transaction_id=getattr(outcome, "financial_transaction_id", None),
        amount=getattr(outcome, "amount", None),
        currency=getattr(outcome, "currency", None),
        party_id=party.id if party is not None else None,
        external_id=getattr(outcome, "external_id", None),
    )


def _turned_down(error: Refused) -> Learned:
    """Tell a no to one payment from one that would meet every payment of the account."""
    code = "UNKNOWN_PATH" if error.status == 404 and error.code is None else error.code
    return Learned(
        fact=TurnedDown(code=code, status=error.status),
        lane_stop=_stop(error) if code in SETTING_CODES else None,
    )


def _stop(error: MomoError) -> str:
    return f"{error.message} {error.hint}".rstrip()


def _body(outgoing: Outgoing) -> dict[str, Any]:
    body = msgspec.json.decode(outgoing.body)
    return body if isinstance(body, dict) else {}


def _expected(outgoing: Outgoing) -> dict[str, Any]:
    """Give the fields by which MTN's answer is recognised as this payment, from its own bytes."""
    body = _body(outgoing)
    names = ("currency", "payer", "payee", "intendedPayer")
    expected: dict[str, Any] = {name: body[name] for name in names if name in body}
    if isinstance(body.get("amount"), str):
        expected["amount"] = Decimal(body["amount"])
    return expected | {"externalId": outgoing.external_id}


def _cancellation(client: AsyncClient, outgoing: Outgoing, reference_id: str) -> Submission:
    if outgoing.kind == "pre_approval":
        return pre_approval_cancellation(pre_approval_id=outgoing.reference_id)
    filing = Filing(reference_id=reference_id, external_id=outgoing.external_id)
    return invoice_cancellation(
        client._core.forms, invoice_reference_id=outgoing.reference_id, filing=filing
    )


def _submission(outgoing: Outgoing) -> Submission:
    kind = find_kind(outgoing.kind, outgoing.product)
    return Submission(
        kind=outgoing.kind,
        product=outgoing.product,
        reference_id=outgoing.reference_id,
        external_id=outgoing.external_id,
        request=Request(
            outgoing.operation,
            "POST",
            outgoing.path,
            outgoing.headers,
            outgoing.body,
            outgoing.reference_id,
        ),
        status_path=kind.status_of(outgoing.reference_id),
        status_operation=kind.status_operation,
        expected=_expected(outgoing),
        id_is_ours=False,
    )
