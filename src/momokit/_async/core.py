"""What the products of one client share: settings, transport, keys and tokens, and the way
operations run."""

from __future__ import annotations

import time
import uuid
from collections.abc import Callable
from contextlib import suppress
from typing import Any, TypeVar

from momokit.errors import InvalidInput, NotFound, OutcomeUnknown, ProviderError
from momokit.models import Accepted, Outcome, Progress, Resolution, WaitResult
from momokit.operations.ask import PollPlan, status, wait_for
from momokit.operations.exchange import Operation
from momokit.operations.forms import Forms, check_reference_id
from momokit.operations.kind import Kind
from momokit.operations.registry import find_kind, status_of
from momokit.operations.submit import Submission, submit
from momokit.operations.token import Access
from momokit.retry import RetryBudget, RetryPolicy, StatusPace
from momokit.secret import Secret
from momokit.settings import Product, Settings
from momokit.transport import AsyncTransport

T = TypeVar("T")
O = TypeVar("O", bound=Outcome)  # noqa: E741


_LONGEST_WAIT_SECONDS = 30 * 86_400.0


def _new_id() -> str:
    return str(uuid.uuid4())


class AsyncCore:
    """The engine room of an `AsyncClient`; its products call it, users do not."""

    def __init__(
        self,
        settings: Settings,
        *,
        transport: AsyncTransport,
        policy: RetryPolicy,
        new_id: Callable[[], str] | None = None,
        clock: Callable[[], float] = time.monotonic,
        wall_clock: Callable[[], float] = time.time,
    ) -> None:
        self.settings = settings
        self.transport = transport
        self.policy = policy
        self.budget = RetryBudget(policy)
        self.clock = clock
        self.wall_clock = wall_clock
        self.new_id = new_id or _new_id
        self.forms = Forms(
            market=settings.place,
            new_id=self.new_id,
            callback_url=settings.callback_url,
            clean_notes=settings.clean_notes,
            trusts_callback_urls=settings.is_local,
        )
        self._accesses: dict[str, Access] = {}
        self._paces: dict[str, StatusPace] = {}

    def access(self, product: Product) -> Access:
        """Give the way into a product; raises ConfigurationError when there are no credentials
        for it."""
        found = self._accesses.get(product)
        if found is None:
            credentials = self.settings.credentials(product)
            found = self._make_access(
                product,
                keys=credentials.subscription_keys,
                api_user=credentials.api_user,
                api_key=Secret(credentials.api_key),
            )
            # Two threads may both make one; all must then use the same.
            found = self._accesses.setdefault(product, found)
        return found

    def sandbox_access(self, subscription_key: Secret) -> Access:
        """Give a way in with a subscription key alone, as provisioning needs it."""
        return self._make_access("", keys=(subscription_key,), api_user="", api_key=Secret(""))

    def _make_access(
        self, product: str, *, keys: tuple[Secret, ...], api_user: str, api_key: Secret
    ) -> Access:
        # MTN's limit on status calls goes by credentials, which products may share.
        per_second = self.settings.status_calls_per_second
        pace = self._paces.setdefault(api_user, StatusPace(per_second))
        return Access(
            product=product,
            target_environment=self.settings.place.target_environment,
            subscription_keys=keys,
            api_user=api_user,
            api_key=api_key,
            policy=self.policy,
            budget=self.budget,
            pace=pace,
            clock=self.clock,
            wall_clock=self.wall_clock,
            store_scope=self.settings.host_url,
        )

    async def run(self, operation: Operation[T]) -> T:
        """Run one operation within the deadline of a call."""
        return await self.transport.run(operation, deadline_seconds=self.settings.deadline_seconds)

    async def submit(
        self, access: Access, submission: Submission, *, in_doubt: bool = False
    ) -> Accepted:
        """Send a submission; whatever is raised carries its reference id."""
        try:
            return await self.run(submit(access, submission, in_doubt=in_doubt))
        except OutcomeUnknown as error:
            if submission.status_path is not None:

                async def resolve(*, resend: bool = False) -> Resolution:
                    return await self.resolve(access, submission, resend=resend)

                error.resolve = resolve
            raise
        except ProviderError as error:
            error.reference_id = submission.reference_id
            raise
        except BaseException as error:  # cancelled or interrupted: do not lose the id with the call
            error.add_note(f"momokit: {submission.kind}, reference id {submission.reference_id}")
            raise

    async def resolve(self, access: Access, submission: Submission, *, resend: bool) -> Resolution:
        """Ask what became of a submission; with `resend`, send it again when MTN does not know
        it."""
        kind = find_kind(submission.kind, submission.product)
        reference_id = submission.reference_id
        try:
            outcome = await self.run(status_of(access, kind, reference_id))
        except NotFound:
            if not resend:
                return Resolution(reference_id=reference_id, state="not_found")
            await self.submit(access, submission, in_doubt=True)
            return await self._seen(access, kind, reference_id)
        return Resolution(reference_id=reference_id, state="accepted", outcome=outcome)

    async def _seen(self, access: Access, kind: Kind, reference_id: str) -> Resolution:
        """Report what MTN has just accepted, with its status when that is visible already."""
        outcome: Outcome | None = None
        with suppress(
            ProviderError
        ):  # it was accepted: not seeing it yet changes nothing about that
            outcome = await self.run(status_of(access, kind, reference_id))
        return Resolution(reference_id=reference_id, state="accepted", outcome=outcome)

    async def status(self, access: Access, kind: Kind, reference_id: str, model: type[O]) -> O:
        """Ask for one status, typed."""
        reference_id = check_reference_id(reference_id)
        return await self.run(
            status(
                access,
                operation=kind.status_operation,
                path=kind.status_of(reference_id),
                reference_id=reference_id,
                model=model,
            )
        )

    async def wait(
        self,
        access: Access,
        kind: Kind,
        reference_id: str,
        *,
        timeout_seconds: float,
        plan: PollPlan,
        on_progress: Callable[[Progress], Any] | None,
    ) -> WaitResult:
        """Wait for the outcome of a reference id."""
        if not 0 <= timeout_seconds <= _LONGEST_WAIT_SECONDS:
            raise InvalidInput(
                "A wait lasts between 0 seconds and 30 days.",
                field="timeout_seconds",
                hint="Open is not failed: keep the reference id and ask again later.",
            )
        return await self.transport.run(
            wait_for(
                access,
                lambda: status_of(access, kind, reference_id),
                reference_id=reference_id,
                timeout_seconds=timeout_seconds,
                call_seconds=self.settings.deadline_seconds,
                plan=plan,
                on_progress=on_progress,
            ),
            # The last question may begin just before the time is up and has a call's time to end.
            deadline_seconds=timeout_seconds + self.settings.deadline_seconds,
        )
