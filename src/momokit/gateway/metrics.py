"""What is counted and measured, for Prometheus; each number has one function that records it.

Labels are few and never hold a number, a reference or a merchant: a label's values must be a list
that could be written down.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from decimal import Decimal

from prometheus_client import (
    CollectorRegistry,
    Counter,
    Gauge,
    Histogram,
    disable_created_metrics,
    generate_latest,
)

from momokit._version import __version__
from momokit.gateway.core.discrepancy import Kind
from momokit.gateway.core.payment import State
from momokit.gateway.store.records import Recorded
from momokit.operations.exchange import Exchanged
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
        self._machine()
        self._show_from_the_start()
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
        self._waiting = self._gauge("momo_incidents_open", "Incidents nobody has closed yet")
        self._mismatches = self._counter(
            "momo_provider_mismatch", "Answers of MTN about another payment; must stay 0"
        )
        self._stale = self._counter(
            "momo_stale_results", "Results refused because their lease was lost"
        )
        self._discrepancies = self._gauge(
            "momo_recon_discrepancies", "What does not agree with MTN's statements", "class"
        )
        self._reconciled = self._gauge(
            "momo_recon_last_success_timestamp_seconds", "When a statement was last imported"
        )
        self._lanes = self._gauge("momo_accounts_paused", "Accounts that send nothing", "country")
        self._breakers = self._gauge(
            "momo_breaker_state", "1 where MTN does not answer", "country", "product", "work"
        )
        self._stopped = self._gauge("momo_money_stopped", "1 when all money is stopped", "by")
        self._paid_out = self._counter(
            "momo_paid_out", "Money that reached payees", "country", "currency"
        )

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
        self._unclassified = self._counter(
            "momo_unclassified", "Codes and statuses of MTN that are not known here"
        )
        self._budget = self._gauge(
            "momo_poll_budget_used_ratio", "Share of the status questions in use, 0 to 1"
        )
        self._balance = self._gauge(
            "momo_balance", "Money at MTN when last asked", "country", "product", "currency"
        )
        self._callbacks = self._counter("momo_callbacks", "Callbacks from MTN", "result")
        self._ack = self._histogram(
            "momo_callback_ack_seconds", "Time to answer a callback", SERVER_SECONDS
        )
        self._coverage = self._gauge(
            "momo_callback_coverage_ratio",
            "Share of the newest finished payments that MTN called back about",
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

    def _machine(self) -> None:
        self._disk = self._gauge("momo_disk_free_ratio", "Free share of the database's disk")
        self._size = self._gauge("momo_database_size_bytes", "Size of the database")
        self._skew = self._gauge(
            "momo_clock_skew_seconds", "Between this machine's clock and the database's"
        )

    def _show_from_the_start(self) -> None:
        # A series that appears with its first event hides that event from increase().
        for outcome in ("ok", "failed"):
            self._tokens.labels(outcome=outcome)
        for result in ("matched", "duplicate", "late", "unknown"):
            self._callbacks.labels(result=result)
        for result in ("new", "replayed", "conflict"):
            self._keys.labels(result=result)
        for outcome in ("delivered", "retry", "given_up", "endpoint_gone", "lease_lost"):
            self._deliveries.labels(outcome=outcome)

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
        if recorded.event == "mismatch":
            self._mismatches.inc()
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
        if payment.is_push and payment.state is State.SUCCESSFUL:
            # A counter is a float and good for a rate; the books have the amounts themselves.
            paid = self._paid_out.labels(country=country, currency=payment.currency)
            paid.inc(float(payment.amount))

    def exchanged(self, told: Exchanged) -> None:
        """Record a call to MTN as it went over the wire."""
        code = told.failure or told.code or "none"
        if told.code is not None and not reason_of(told.code).is_known:
            code = "unlisted"
            self._unclassified.inc()
        self._answers.labels(operation=told.operation, code=code).inc()
        status = str(told.status) if told.status is not None else "none"
        self._client.labels(operation=told.operation, status=status).observe(told.seconds)
        if told.status == 429:
            self._limited.inc()
        if told.operation == "CreateAccessToken":
            self._tokens.labels(outcome="ok" if told.status == 200 else "failed").inc()

    def balance(self, *, country: str, product: str, currency: str, amount: Decimal) -> None:
        """Show what was at MTN when it was last asked."""
        self._balance.labels(country=country, product=product, currency=currency).set(float(amount))

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

    def open_incidents(self, count: int) -> None:
        """Show how many incidents wait for a person."""
        self._waiting.set(count)

    def discrepancies(self, counts: Mapping[Kind, int], *, last_success: float | None) -> None:
        """Show what is not closed, by class, and when a statement was last imported (0: never)."""
        for kind, count in counts.items():
            self._discrepancies.labels(kind.value).set(count)
        self._reconciled.set(last_success or 0.0)

    def callback_coverage(self, ratio: float | None) -> None:
        """Show for what share of finished payments MTN called back; None while there are none."""
        self._coverage.set(float("nan") if ratio is None else ratio)

    def poll_budget(self, ratio: float) -> None:
        """Show what share of the status questions that MTN allows is in use."""
        self._budget.set(ratio)

    def disk_free(self, ratio: float) -> None:
        """Show what share of the database's disk is free."""
        self._disk.set(ratio)

    def database_size(self, size_bytes: int) -> None:
        """Show how large the database is."""
        self._size.set(size_bytes)

    def clock_skew(self, seconds: float) -> None:
        """Show how far this machine's clock is from the database's."""
        self._skew.set(seconds)

    def webhook_lag(self, seconds: float) -> None:
        """Show how late the most overdue webhook is."""
        self._lag.set(seconds)

    def paused_accounts(self, counts: Mapping[str, int]) -> None:
        """Show how many accounts send nothing, by country."""
        self._lanes.clear()
        for country, count in counts.items():
            self._lanes.labels(country=country).set(count)

    def breakers(self, shut: Iterable[tuple[str, str, str]]) -> None:
        """Show which lanes are shut because MTN does not answer: country, product, work."""
        self._breakers.clear()
        for country, product, work in shut:
            self._breakers.labels(country=country, product=product, work=work).set(1)

    def money_stopped(self, by: Mapping[str, bool]) -> None:
        """Show whether all money is stopped, by the kill switch or after a restore."""
        for name, is_on in by.items():
            self._stopped.labels(by=name).set(is_on)

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
