"""What is counted and measured, for Prometheus; each number has one function that records it.

Labels are few and never hold a number, a reference or a merchant: a label's values must be a list
that could be written down.
"""

from __future__ import annotations

from collections.abc import Mapping

from prometheus_client import (
    CollectorRegistry,
    Counter,
    Gauge,
    Histogram,
    disable_created_metrics,
    generate_latest,
)

from momokit._version import __version__
from momokit.gateway.core.payment import State
from momokit.gateway.store.records import Recorded
from momokit.reasons import reason_of

TO_FINAL_SECONDS = (1, 2, 5, 10, 30, 60, 120, 300, 600, 1800, 3600, 21600, 86400)
CLIENT_SECONDS = (0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 20, 30, 60)
SERVER_SECONDS = (0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30)

_METHODS = frozenset({"GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"})
_PAYMENT = ("direction", "country", "kind")


class Metrics:
    """All of the gateway's numbers, in a registry of their own."""

    def __init__(self, *, role: str = "all") -> None:
        # A second series for each, with the time it began, would be paid for and used by nobody.
        disable_created_metrics()  # type: ignore[no-untyped-call]
        self.registry = CollectorRegistry()
        self._money()
        self._mtn()
        self._merchant()
        build = self._gauge("momo_build_info", "Which version runs, as what", "version", "role")
        build.labels(version=__version__, role=role).set(1)

    def _money(self) -> None:
        self._payments = self._counter(
            "momo_payments", "Payments that came to an end", *_PAYMENT, "state", "reason_class"
        )
        self._to_final = self._histogram(
            "momo_payment_time_to_final_seconds",
            "From acceptance by us to the last word",
            TO_FINAL_SECONDS,
            *_PAYMENT,
        )
        self._open = self._gauge("momo_open_payments", "Payments under way", "country", "state")
        self._oldest = self._gauge(
            "momo_open_oldest_age_seconds", "Age of the oldest payment under way", "state"
        )
        self._conflicts = self._counter(
            "momo_state_conflicts", "Last words that contradict an earlier one; must stay 0"
        )
        self._incidents = self._counter("momo_incidents", "Payments put before a person")
        self._stale = self._counter(
            "momo_stale_results", "Results refused because their lease was lost"
        )
        self._lanes = self._gauge("momo_accounts_paused", "Accounts that send nothing", "country")

    def _mtn(self) -> None:
        self._answers = self._counter(
            "momo_provider_answers", "What MTN answered", "operation", "code"
        )
        self._client = self._histogram(
            "http_client_request_duration_seconds",
            "Time of calls to MTN",
            CLIENT_SECONDS,
            "operation",
            "status",
        )
        self._tokens = self._counter("momo_token_refresh", "Bearer tokens asked for", "outcome")
        self._limited = self._counter("momo_rate_limited", "Calls that MTN turned away (429)")
        self._callbacks = self._counter("momo_callbacks", "Callbacks from MTN", "result")
        self._ack = self._histogram(
            "momo_callback_ack_seconds", "Time to answer a callback", SERVER_SECONDS
        )

    def _merchant(self) -> None:
        self._deliveries = self._counter(
            "momo_webhook_deliveries", "Webhooks sent to merchants", "outcome"
        )
        self._lag = self._gauge(
            "momo_webhook_oldest_seconds", "How late the most overdue webhook is"
        )
        self._keys = self._counter("momo_idempotency", "Idempotency keys shown", "result")
        self._server = self._histogram(
            "http_server_request_duration_seconds",
            "Time of answers of our API",
            SERVER_SECONDS,
            "method",
            "route",
            "status",
        )

    def request(self, *, method: str, route: str, status: int, seconds: float) -> None:
        """Record an answer of our API. `route` is the pattern, never the path."""
        method = method if method in _METHODS else "other"
        self._server.labels(method=method, route=route, status=str(status)).observe(seconds)

    def callback(self, *, outcome: str, seconds: float) -> None:
        """Record a callback: matched, duplicate, late or unknown."""
        self._callbacks.labels(result=outcome).inc()
        self._ack.observe(seconds)

    def idempotency(self, *, outcome: str) -> None:
        """Record an idempotency key: new, replayed, conflict or in progress."""
        self._keys.labels(result=outcome).inc()

    def recorded(self, recorded: Recorded, *, country: str) -> None:
        """Record what a step has written about a payment."""
        payment = recorded.payment
        if recorded.incident is not None:
            self._incidents.inc()
        if recorded.before.is_final and payment.state is not recorded.before:
            self._conflicts.inc()
        if not payment.state.is_final or recorded.before.is_final:
            return
        labels = {
            "direction": "out" if payment.is_push else "in",
            "country": country,
            "kind": payment.kind,
        }
        self._payments.labels(
            **labels, state=payment.state.value, reason_class=reason_class(payment.reason_code)
        ).inc()
        self._to_final.labels(**labels).observe(max(0.0, recorded.at - payment.created_at))

    def provider_answer(
        self, *, operation: str, code: str, status: int | None, seconds: float
    ) -> None:
        """Record what MTN answered, or that it did not (`status` None)."""
        known = code if not code or reason_of(code).is_known else "unlisted"
        self._answers.labels(operation=operation, code=known or "none").inc()
        told = str(status) if status is not None else "none"
        self._client.labels(operation=operation, status=told).observe(seconds)
        if status == 429:
            self._limited.inc()

    def token_refresh(self, *, outcome: str) -> None:
        """Record that a bearer token was asked for: ok or failed."""
        self._tokens.labels(outcome=outcome).inc()

    def delivery(self, *, outcome: str) -> None:
        """Record a webhook: delivered, again (it will be tried) or given up."""
        self._deliveries.labels(outcome=outcome).inc()

    def stale_results(self, count: int) -> None:
        """Record results that were refused because their lease was lost."""
        self._stale.inc(count)

    def open_payments(self, counts: Mapping[tuple[str, State], int]) -> None:
        """Show how many payments are under way, by country and state."""
        self._open.clear()
        for (country, state), count in counts.items():
            self._open.labels(country=country, state=state.value).set(count)

    def oldest_open(self, ages_seconds: Mapping[State, float]) -> None:
        """Show how old the oldest payment under way is, by state."""
        self._oldest.clear()
        for state, age_seconds in ages_seconds.items():
            self._oldest.labels(state=state.value).set(age_seconds)

    def webhook_lag(self, seconds: float) -> None:
        """Show how late the most overdue webhook is."""
        self._lag.set(seconds)

    def paused_accounts(self, counts: Mapping[str, int]) -> None:
        """Show how many accounts send nothing, by country."""
        self._lanes.clear()
        for country, count in counts.items():
            self._lanes.labels(country=country).set(count)

    def render(self) -> bytes:
        """Write all numbers as Prometheus reads them."""
        return generate_latest(self.registry)

    def _counter(self, name: str, text: str, *labels: str) -> Counter:
        return Counter(name, text, labels, registry=self.registry)

    def _gauge(self, name: str, text: str, *labels: str) -> Gauge:
        return Gauge(name, text, labels, registry=self.registry)

    def _histogram(
        self, name: str, text: str, buckets: tuple[float, ...], *labels: str
    ) -> Histogram:
        return Histogram(name, text, labels, buckets=buckets, registry=self.registry)


def reason_class(code: str | None) -> str:
    """Say in one word whose matter a reason is; a list of five, whatever MTN makes up."""
    return reason_of(code).kind if code else "none"
