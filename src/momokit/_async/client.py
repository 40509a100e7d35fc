"""The door to MTN Mobile Money: one client per market and set of credentials."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path
from types import TracebackType
from typing import TYPE_CHECKING, Any

from momokit._async.collection import AsyncCollection
from momokit._async.core import AsyncCore
from momokit._async.disbursement import AsyncDisbursement
from momokit._async.remittance import AsyncRemittance
from momokit._async.sandbox import AsyncSandbox
from momokit.models import Accepted, Outcome, Progress, WaitResult
from momokit.operations.ask import PollPlan
from momokit.operations.exchange import Observer
from momokit.operations.registry import kind_of, status_of
from momokit.operations.token import TokenStore
from momokit.retry import RetryPolicy
from momokit.secret import Secret
from momokit.settings import Settings, product_named
from momokit.transport import AsyncTransport

if TYPE_CHECKING:
    from typing import Self

    import httpx2


class AsyncClient:
    """Every operation MTN publishes, by product: `collection`, `disbursement`, `remittance`.

    Make one with the settings as arguments (see `Settings` for their names),
    `AsyncClient.from_env()` or `AsyncClient.from_file(path)`; close it, or use it in a `with`
    block. It is safe to share, keeps its connections and tokens, and never makes a call without a
    deadline.

    `token_store` shares tokens between processes; `observe` is told of every call to MTN when it is
    over, for metrics; `transport` is an httpx2 transport of your own, for tests.
    """

    def __init__(
        self,
        settings: Settings | None = None,
        *,
        retry: RetryPolicy | None = None,
        token_store: TokenStore | None = None,
        transport: httpx2.AsyncBaseTransport | None = None,
        observe: Observer | None = None,
        **given: Any,
    ) -> None:
        settings = Settings(**given) if settings is None else settings.with_changes(**given)
        proxy = Secret(settings.proxy).reveal() if settings.proxy else None
        self.settings = settings
        self._transport = AsyncTransport(
            settings.host_url,
            transport=transport,
            token_store=token_store,
            proxy=proxy,
            ca_file=settings.ca_file,
            max_connections=settings.max_connections,
            observe=observe,
        )
        self._core = AsyncCore(
            settings,
            transport=self._transport,
            policy=retry or RetryPolicy(),
        )
        self.collection = AsyncCollection(self._core)
        self.disbursement = AsyncDisbursement(self._core)
        self.remittance = AsyncRemittance(self._core)
        self.sandbox = AsyncSandbox(self._core)

    @classmethod
    def from_env(cls, environ: Mapping[str, str] | None = None, **given: Any) -> Self:
        """Make a client from the environment (`momokit.settings.VARIABLES`); arguments given
        here win."""
        own = _taken_from(given)
        return cls(Settings.from_env(environ, **given), **own)

    @classmethod
    def from_file(cls, path: str | Path, **given: Any) -> Self:
        """Make a client from a TOML, JSON or .env file; arguments given here win."""
        own = _taken_from(given)
        return cls(Settings.from_file(path, **given), **own)

    async def status(
        self, what: Accepted | str, *, kind: str | None = None, product: str | None = None
    ) -> Outcome:
        """Ask how something submitted stands: an `Accepted`, or a reference id with its `kind`."""
        found, reference_id = kind_of(what, kind=kind, product=product)
        access = self._core.access(product_named(found.product))
        return await self._core.run(status_of(access, found, reference_id))

    async def wait(
        self,
        what: Accepted | str,
        *,
        kind: str | None = None,
        product: str | None = None,
        timeout_seconds: float = 330.0,
        plan: PollPlan | None = None,
        on_progress: Callable[[Progress], Any] | None = None,
    ) -> WaitResult:
        """Wait until something submitted has ended, or the time is up: then it is still open.

        Open is not failed: the payer may yet approve. The default time reaches past MTN's approval
        window of five minutes. `on_progress` hears of every question asked. Outages in between are
        waited out; refusals (keys, permission) are raised.
        """
        found, reference_id = kind_of(what, kind=kind, product=product)
        return await self._core.wait(
            self._core.access(product_named(found.product)),
            found,
            reference_id,
            timeout_seconds=timeout_seconds,
            plan=plan or PollPlan(),
            on_progress=on_progress,
        )

    async def aclose(self) -> None:
        """Close the connections; the client cannot be used afterwards."""
        await self._transport.close()

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self,
        exc_type: type[BaseException] | None,
        exc: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        await self.aclose()

    def __repr__(self) -> str:
        return f"{type(self).__name__}(market={self.settings.place.name!r})"


def _taken_from(given: dict[str, Any]) -> dict[str, Any]:
    """Take out what is the client's own and no setting, so that settings are checked together."""
    return {
        name: given.pop(name) for name in ("retry", "token_store", "transport") if name in given
    }
