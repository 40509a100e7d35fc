"""The composition root: puts the gateway together for a role, runs it, and lets it end in peace.

Nothing else in the gateway makes its own tools; who wants to know what is connected to what reads
`build`.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Awaitable, Callable, Coroutine, Iterator
from contextlib import suppress
from typing import IO, TYPE_CHECKING, Any, Literal, TypeAlias

from momokit.callbacks import check_callback_url
from momokit.errors import ConfigurationError, InvalidInput
from momokit.gateway.book import AccountBook
from momokit.gateway.core.destinations import DEVELOPMENT, PUBLIC, Allowance, read_destination
from momokit.gateway.gauges import Gauges
from momokit.gateway.lanes import Lanes
from momokit.gateway.metrics import Metrics
from momokit.gateway.nightly import work_nightly
from momokit.gateway.provider import Provider
from momokit.gateway.seal import Sealer
from momokit.gateway.serve import Server, address_of, listen, metrics_served, stop_on_signals
from momokit.gateway.settings import GatewaySettings
from momokit.gateway.start import claim_sqlite, disk_gate, open_store
from momokit.gateway.steps.audit import audit_page
from momokit.gateway.store.deliveries import ClaimedDelivery
from momokit.gateway.store.idempotency import forget_old_keys
from momokit.gateway.store.invoice_life import follow_time
from momokit.gateway.store.records import Recorded
from momokit.gateway.store.store import Store
from momokit.gateway.store.sums import forget_old_sums

if TYPE_CHECKING:
    from momokit.gateway.api.app import Api
    from momokit.gateway.batches import BatchLoop
    from momokit.gateway.sender import Sender
    from momokit.gateway.worker import Worker

Role: TypeAlias = Literal["all", "api", "worker"]

BOOK_SECONDS = 5.0
HOLD_SECONDS = 5.0
GAUGE_SECONDS = 15.0
TIDY_SECONDS = 3600.0
INVOICE_SECONDS = 20.0

log = logging.getLogger("momokit.gateway")


class Gateway:
    """One running process of the gateway. `api` and `worker` are there as its role has them."""

    def __init__(
        self,
        *,
        settings: GatewaySettings,
        role: Role,
        store: Store,
        book: AccountBook,
        provider: Provider,
        metrics: Metrics,
        lanes: Lanes,
        sender: Sender | None = None,
        api: Api | None = None,
        worker: Worker | None = None,
        lock: IO[Any] | None = None,
    ) -> None:
        self.settings = settings
        self.role = role
        self.store = store
        self.book = book
        self.provider = provider
        self.metrics = metrics
        self.lanes = lanes
        self.sender = sender
        self.api = api
        self.worker = worker
        self.batches: BatchLoop | None = None
        self.base_url = ""
        self._lock = lock
        self._stopping = asyncio.Event()
        self._gauges = Gauges(
            store=store, book=book, metrics=metrics, database=settings.database_url,
            status_calls_per_second=settings.status_calls_per_second,
        )  # fmt: skip
        self._problems_told: set[str] = set()

    def stop(self) -> None:
        """Ask everything to end: nothing new is taken, what is under way is finished."""
        self._stopping.set()

    async def run(self, *, ready: Callable[[Gateway], None] = lambda _gateway: None) -> None:
        """Run until `stop`, SIGTERM or SIGINT; `ready` is told once requests are answered.

        Raises ConfigurationError when a port is taken, and whatever ended a part before its time.
        """
        with stop_on_signals(self.stop), metrics_served(self.metrics, self.settings):
            parts: dict[str, Coroutine[Any, Any, None]] = {}
            server: Server | None = None
            if self.api is not None:
                listening = listen(self.settings.host, self.settings.port)
                self.base_url = address_of(listening)
                server = Server(self.api, grace_seconds=self.settings.shutdown_grace_seconds)
                parts["api"] = server.serve(sockets=[listening])
            if self.worker is not None:
                parts["worker"] = self.worker.run()
                parts["nightly"] = work_nightly(self.store, self._stopping)
                parts["hold"] = self._every(HOLD_SECONDS, self.audit_hold)
            if self.batches is not None:
                parts["batches"] = self.batches.run()
            parts |= {
                "accounts": self._every(BOOK_SECONDS, self.refresh_book),
                "gauges": self._every(GAUGE_SECONDS, self.refresh_gauges),
                "tidying": self._every(TIDY_SECONDS, self._tidy),
                "invoices": self._every(INVOICE_SECONDS, self.follow_invoices),
            }
            tasks = {name: asyncio.create_task(one, name=name) for name, one in parts.items()}
            log.info("gateway started", extra={"role": self.role, "address": self.base_url})
            ready(self)
            await self._until_stopped(tasks)
            await self._drain(server, tasks)

    async def close(self) -> None:
        """Let go of every connection. Queued writes are still written."""
        await self.provider.close()
        if self.sender is not None:
            await self.sender.close()
        self.store.close()
        if self._lock is not None:
            self._lock.close()

    async def refresh_book(self) -> None:
        """Bring accounts that were changed meanwhile; their clients are made anew."""
        for account_id in await self.book.refresh():
            await self.provider.forget(account_id)
            log.info("account changed", extra={"account_id": account_id})
        # An account that was added meanwhile may not suit the settings this process began with.
        problems = {problem.message for problem in account_problems(self.book, self.settings)}
        for message in sorted(problems - self._problems_told):
            log.error("settings do not suit an account: %s", message)
        self._problems_told = problems

    async def refresh_gauges(self) -> None:
        """Measure what is open, for the metrics."""
        await self._gauges.refresh()

    async def follow_invoices(self) -> None:
        """See to the invoices that have fallen due, and to reminders of them."""
        while await self.store.write(follow_time):
            pass

    async def audit_hold(self) -> None:
        """While money is held after a restore, ask MTN about all that may have changed since."""
        assert self.worker is not None
        while not self._stopping.is_set():
            page = await audit_page(
                self.store, provider=self.provider, wait_for_place=self.worker.wait_for_place
            )
            if page is None or not page.complete:
                return
            if page.is_last:
                log.warning("audit done: momo gateway hold show, then momo gateway hold release")

    async def _tidy(self) -> None:
        await self.store.write(forget_old_keys)
        await self.store.write(forget_old_sums)

    async def _every(self, seconds: float, work: Callable[[], Awaitable[None]]) -> None:
        while not self._stopping.is_set():
            try:
                await work()
            except Exception:
                # The database may be away for a moment; what is known already still serves.
                log.exception("%s failed", getattr(work, "__name__", "housekeeping"))
            with suppress(TimeoutError):
                await asyncio.wait_for(self._stopping.wait(), seconds)

    async def _until_stopped(self, tasks: dict[str, asyncio.Task[None]]) -> None:
        stopping = asyncio.create_task(self._stopping.wait())
        await asyncio.wait({*tasks.values(), stopping}, return_when=asyncio.FIRST_COMPLETED)
        stopping.cancel()

    async def _drain(self, server: Server | None, tasks: dict[str, asyncio.Task[None]]) -> None:
        ended = [
            name for name, task in tasks.items() if task.done() and not self._stopping.is_set()
        ]
        self.stop()
        log.info("gateway stopping", extra={"role": self.role})
        if self.api is not None:
            self.api.let_go()
        if server is not None:
            server.should_exit = True
        if self.worker is not None:
            self.worker.stop()
        if self.batches is not None:
            self.batches.stop()
        # Both bound themselves by the grace; this is for what would hang all the same.
        patience = self.settings.shutdown_grace_seconds + 5
        _, late = await asyncio.wait(tasks.values(), timeout=patience)
        for task in late:
            task.cancel()
        await asyncio.gather(*late, return_exceptions=True)
        log.info("gateway stopped", extra={"role": self.role})
        for name in ended:
            error = tasks[name].exception()
            raise RuntimeError(f"The gateway's {name} ended by itself.") from error


async def build(
    settings: GatewaySettings, role: Role = "all", *, clock: Callable[[], float] | None = None
) -> Gateway:
    """Put a gateway together: database, accounts, and what its role takes.

    Time is the database's, unless a test gives a `clock` to pass days with.

    Raises ConfigurationError for everything that would not be safe to run.
    """
    if settings.is_sqlite and role != "all":
        raise ConfigurationError(
            "SQLite is for one process that does everything.",
            field="database_url",
            hint="Use momo gateway serve; or PostgreSQL, for any number of processes.",
        )
    lock = claim_sqlite(settings) if settings.is_sqlite else None
    store: Store | None = None
    try:
        store = await open_store(settings, migrates=settings.is_sqlite, clock=clock)
        if settings.is_sqlite:
            # PostgreSQL's disk is another machine's: there, being full is told by its errors.
            store.watch_space(disk_gate(settings))
        return await _put_together(settings, role, store, lock)
    except BaseException:
        if store is not None:
            store.close()
        if lock is not None:
            lock.close()
        raise


async def _put_together(
    settings: GatewaySettings, role: Role, store: Store, lock: IO[Any] | None
) -> Gateway:
    sealer = Sealer(settings.key, previous=settings.previous_keys)
    book = AccountBook(store, sealer)
    await book.load()
    for problem in account_problems(book, settings):
        raise problem
    metrics = Metrics(role=role)
    lanes = Lanes(store)
    provider = Provider(book.settings_of, observe=metrics.exchanged, listen=lanes.heard)
    gateway = Gateway(
        settings=settings, role=role, store=store, book=book, provider=provider, metrics=metrics,
        lanes=lanes, lock=lock,
    )  # fmt: skip
    if role in ("all", "api"):
        gateway.api = _api(gateway, sealer)
    if role in ("all", "worker"):
        _add_worker(gateway, sealer)
        _add_batches(gateway)
    return gateway


def _api(gateway: Gateway, sealer: Sealer) -> Api:
    from momokit.gateway.api.app import create_api
    from momokit.gateway.api.edge import Receipts
    from momokit.gateway.api.rates import Rates
    from momokit.gateway.pages.receipts import batch_receipt_page, row_receipt_page
    from momokit.gateway.pages.routes import Pages

    return create_api(
        gateway.store,
        gateway.book,
        gateway.settings,
        metrics=gateway.metrics,
        rates=Rates(
            requests_per_second=gateway.settings.requests_per_second,
            holder_checks_per_minute=gateway.settings.holder_checks_per_minute,
        ),
        clients=gateway.provider.client,
        seal=sealer.seal_texts,
        unseal=sealer.open_texts,
        check_url=lambda url: _check_webhook_url(url, gateway.settings),
        receipts=Receipts(of_batch=batch_receipt_page, of_row=row_receipt_page),
        routes=Pages(
            store=gateway.store,
            book=gateway.book,
            public_url=gateway.settings.public_url,
            behind_proxy=gateway.settings.behind_tls,
        ).handlers,
    )


def _add_worker(gateway: Gateway, sealer: Sealer) -> None:
    from momokit.gateway.sender import Sender
    from momokit.gateway.steps.notify import notify
    from momokit.gateway.worker import Worker, WorkerSettings

    settings = gateway.settings
    sender = gateway.sender = Sender(allowance=_allowance(settings))

    async def deliver(claimed: ClaimedDelivery) -> bool:
        endpoint_id = claimed.delivery.endpoint_id
        notified = await notify(
            claimed, store=gateway.store, sender=sender,
            secrets_of=lambda sealed: sealer.open_texts(endpoint_id, sealed),
        )  # fmt: skip
        gateway.metrics.delivery(outcome=notified.outcome.value)
        return notified.result.delivered

    def heard(recorded: Recorded) -> None:
        gateway.metrics.recorded(recorded, country=gateway.book.market_of(recorded.account_id))

    gateway.worker = Worker(
        store=gateway.store,
        provider=gateway.provider,
        deliver=deliver,
        heard=heard,
        lanes=gateway.lanes,
        settings=WorkerSettings(
            sends_at_once=settings.sends_at_once,
            questions_at_once=settings.questions_at_once,
            webhooks_at_once=settings.webhooks_at_once,
            webhooks_per_endpoint=settings.webhooks_per_endpoint,
            lease_seconds=settings.lease_seconds,
            drain_seconds=settings.shutdown_grace_seconds,
            status_calls_per_second=settings.status_calls_per_second,
        ),
    )


def _add_batches(gateway: Gateway) -> None:
    from momokit.gateway.batches import BatchLoop
    from momokit.gateway.questions import Questions

    questions = Questions(gateway.provider.client)
    gateway.batches = BatchLoop(
        store=gateway.store,
        book=gateway.book,
        ask_holder=questions.holder,
        ask_balance=questions.balance,
        public_url=gateway.settings.public_url,
    )


def account_problems(book: AccountBook, settings: GatewaySettings) -> Iterator[ConfigurationError]:
    """Find what does not fit between the gateway's settings and its accounts."""
    for account in book.accounts:
        told = book.settings_of(account.id)
        if told.deadline_seconds >= settings.lease_seconds - 10:
            yield ConfigurationError(
                f"A call of {account.name} may take as long as a worker's lease.",
                field="lease_seconds",
                hint=f"Make it at least {told.deadline_seconds + 15:.0f}.",
            )
        if told.is_local or told.place.is_sandbox:
            continue
        if settings.webhook_allow_local:
            yield ConfigurationError(
                f"{account.name} moves real money; its webhooks go over TLS, to public addresses.",
                field="webhook_allow_local",
            )
        if settings.public_url is None:
            continue
        try:
            check_callback_url(f"{settings.public_url}/cb/sample", market=told.place)
        except InvalidInput as error:
            yield ConfigurationError(
                f"{account.name}: {error.message}", field="public_url", hint=error.hint
            )


def _allowance(settings: GatewaySettings) -> Allowance:
    return DEVELOPMENT if settings.webhook_allow_local else PUBLIC


def _check_webhook_url(url: str, settings: GatewaySettings) -> None:
    read_destination(url, allowance=_allowance(settings))
