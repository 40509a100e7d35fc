"""MTN as the gateway sees it: a client per account, each call once, each answer made a fact.

The client's own retries are off here: the payment's row says when to try again, so that a crash in
between forgets nothing.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from momokit._async.client import AsyncClient
from momokit.errors import (
    AuthenticationFailed,
    ConfigurationError,
    NotFound,
    NotSent,
    OutcomeUnknown,
    PermissionDenied,
    ProviderError,
    RateLimited,
    Refused,
)
from momokit.gateway.core.decide import (
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
from momokit.models import Outcome
from momokit.operations.exchange import Request
from momokit.operations.kind import Kind
from momokit.operations.registry import find_kind, status_of
from momokit.operations.submit import Submission
from momokit.retry import RetryPolicy
from momokit.settings import Settings, product_named

ONCE = RetryPolicy(attempts=1)

LANE_CODES = frozenset(
    {"NOT_ALLOWED", "NOT_ALLOWED_TARGET_ENVIRONMENT", "INVALID_CALLBACK_URL_HOST"}
)
"""Refusals that would meet every payment of the account alike."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Learned:
    """A fact about one payment, and what it says of the account's whole lane, if anything.

    `known_before` says that MTN had the reference id already when this send came.
    """

    fact: Fact
    lane_stop: str | None = None
    known_before: bool = False


class Provider:
    """Speaks to MTN for all accounts. `settings_of` gives an account's settings, secrets opened."""

    def __init__(
        self,
        settings_of: Callable[[str], Settings],
        *,
        transport_of: Callable[[str], Any] | None = None,
    ) -> None:
        self._settings_of = settings_of
        self._transport_of = transport_of
        self._clients: dict[str, AsyncClient] = {}

    def client(self, account_id: str) -> AsyncClient:
        """Give the account's client, made when first used."""
        found = self._clients.get(account_id)
        if found is None:
            transport = self._transport_of(account_id) if self._transport_of else None
            found = AsyncClient(self._settings_of(account_id), retry=ONCE, transport=transport)
            self._clients[account_id] = found
        return found

    async def forget(self, account_id: str) -> None:
        """Drop an account's client, so that changed settings take hold."""
        client = self._clients.pop(account_id, None)
        if client is not None:
            await client.aclose()

    async def close(self) -> None:
        """Close all connections."""
        for account_id in list(self._clients):
            await self.forget(account_id)

    async def submit(self, outgoing: Outgoing) -> Learned:
        """Put a payment to MTN once."""
        core = self.client(outgoing.account_id)._core
        try:
            access = core.access(product_named(outgoing.product))
            accepted = await core.submit(access, _submission(outgoing))
        except OutcomeUnknown as error:
            return Learned(fact=Doubt(why=error.message))
        except (AuthenticationFailed, PermissionDenied, ConfigurationError) as error:
            # Nothing is wrong with the payment: its lane is closed, and it waits for that to end.
            return Learned(fact=NeverLeft(why=error.message), lane_stop=error.message)
        except Refused as error:
            stop = error.message if error.code in LANE_CODES else None
            return Learned(fact=TurnedDown(code=error.code, status=error.status), lane_stop=stop)
        except RateLimited as error:
            return Learned(
                fact=NeverLeft(why=error.message, retry_after_seconds=error.retry_after_seconds)
            )
        except NotSent as error:
            return Learned(fact=NeverLeft(why=error.message))
        return Learned(fact=Taken(), known_before=accepted.replayed)

    async def status(self, outgoing: Outgoing, *, failures: int = 0) -> Learned:
        """Ask MTN how a payment stands. `failures` counts the unanswered questions before this."""
        core = self.client(outgoing.account_id)._core
        kind = find_kind(outgoing.kind, outgoing.product)
        try:
            access = core.access(product_named(outgoing.product))
            outcome = await core.run(status_of(access, kind, outgoing.reference_id))
        except NotFound as error:
            # The gateway's own 404 speaks of the path, not of the payment.
            if error.code is None:
                return Learned(fact=NoAnswer(why=error.message, failures=failures + 1))
            return Learned(fact=NotKnown())
        except (AuthenticationFailed, PermissionDenied, ConfigurationError) as error:
            fact = NoAnswer(why=error.message, failures=failures + 1)
            return Learned(fact=fact, lane_stop=error.message)
        except ProviderError as error:
            return Learned(fact=NoAnswer(why=error.message, failures=failures + 1))
        return Learned(fact=told(outcome, kind))


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
        expected={"externalId": outgoing.external_id},
        id_is_ours=False,
    )
