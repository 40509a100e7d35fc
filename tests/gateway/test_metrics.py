"""The numbers for Prometheus: recorded where they belong, with nothing personal in a label."""

from __future__ import annotations

import re
from decimal import Decimal
from typing import Any

import pytest

from momokit.gateway.core.payment import State
from momokit.gateway.metrics import Metrics, reason_class
from momokit.gateway.store.records import Recorded
from momokit.operations.exchange import Exchanged
from tests.gateway.core.make import created


def recorded(before: State, after: State, **changes: Any) -> Recorded:
    """Make what a step has recorded."""
    payment = created(state=after, created_at=100.0, **changes)
    return Recorded(
        payment=payment, id=payment.id, account_id="acc_1", before=before, event="x", sequence=2,
        work=None, due_at=None, deliveries=0, incident=None, at=107.0,
    )  # fmt: skip


def value(metrics: Metrics, name: str, **labels: str) -> float | None:
    """Read one number."""
    return metrics.registry.get_sample_value(name, labels)


def test_an_end_is_counted_once_with_its_class() -> None:
    """A payment counts when it becomes final, not before, and not again."""
    metrics = Metrics()
    for before, after in (
        (State.CREATED, State.PENDING),
        (State.PENDING, State.FAILED),
        (State.FAILED, State.FAILED),
    ):
        metrics.recorded(recorded(before, after, reason_code="EXPIRED"), country="uganda")
    where = {"direction": "in", "country": "uganda", "kind": "request_to_pay"}

    assert value(
        metrics, "momo_payments_total", **where, state="failed", reason_class="payment"
    ) == 1.0  # fmt: skip
    assert value(metrics, "momo_payment_time_to_final_seconds_sum", **where) == 7.0
    assert value(metrics, "momo_state_conflicts_total") == 0.0


def test_a_contradiction_is_counted_as_such() -> None:
    """A last word that turns into the other is the number that must stay 0."""
    metrics = Metrics()
    metrics.recorded(recorded(State.FAILED, State.SUCCESSFUL), country="uganda")

    assert value(metrics, "momo_state_conflicts_total") == 1.0


@pytest.mark.parametrize(
    ("code", "said"),
    [(None, "none"), ("EXPIRED", "payment"), ("NOT_ALLOWED", "configuration"), ("X1", "unknown")],
)
def test_reasons_are_few_whatever_mtn_makes_up(code: str | None, said: str) -> None:
    """A label has a list of values that could be written down."""
    assert reason_class(code) == said


def exchanged(operation: str, status: int | None, code: str | None = None) -> Exchanged:
    """Make one call to MTN as the client tells of it."""
    return Exchanged(operation, status, code, None if status else "timeout", 0.1)


def test_answers_of_mtn_are_counted_by_known_codes() -> None:
    """A code nobody has seen does not make a new series, and is counted as unknown here."""
    metrics = Metrics()
    for status, code in (
        (409, "RESOURCE_ALREADY_EXIST"), (500, "ZZZ_256772123456"), (None, None), (429, None),
    ):  # fmt: skip
        metrics.exchanged(exchanged("RequesttoPay", status, code))
    name = "momo_provider_answers_total"
    counts = {
        code: value(metrics, name, operation="RequesttoPay", code=code)
        for code in ("RESOURCE_ALREADY_EXIST", "unlisted", "timeout", "none")
    }

    assert set(counts.values()) == {1.0}
    assert value(metrics, "momo_rate_limited_total") == 1.0
    assert value(metrics, "momo_unclassified_total") == 1.0
    assert b"256772123456" not in metrics.render()


def test_tokens_are_counted_by_how_they_went() -> None:
    """Churn and refusals of tokens are numbers of their own, there from the start."""
    metrics = Metrics()
    before = value(metrics, "momo_token_refresh_total", outcome="failed")
    for status in (200, 500, None):
        metrics.exchanged(exchanged("CreateAccessToken", status))

    assert before == 0.0
    assert value(metrics, "momo_token_refresh_total", outcome="ok") == 1.0
    assert value(metrics, "momo_token_refresh_total", outcome="failed") == 2.0


def test_gauges_forget_what_is_no_more() -> None:
    """A state nobody is in any longer is not shown with its last number."""
    metrics = Metrics()
    metrics.open_payments({("uganda", State.PENDING): 3})
    metrics.open_payments({("uganda", State.UNKNOWN): 1})
    labels = {"country": "uganda"}

    assert value(metrics, "momo_open_payments", **labels, state="unknown") == 1.0
    assert value(metrics, "momo_open_payments", **labels, state="pending") is None


def test_names_and_labels_hold_to_the_rules() -> None:
    """Every name is ours or the standard's, and no label could hold a number or a merchant."""
    metrics = Metrics(role="api")
    metrics.request(method="BREW", route="/v1/payments", status=202, seconds=0.01)
    metrics.callback(outcome="new", seconds=0.001)
    metrics.idempotency(outcome="new")
    metrics.exchanged(exchanged("CreateAccessToken", 200))
    metrics.balance(
        country="uganda", product="disbursement", currency="UGX", amount=Decimal("5000")
    )
    metrics.delivery(outcome="delivered")
    text = metrics.render().decode()
    names = set(re.findall(r"^# TYPE (\S+)", text, flags=re.MULTILINE))
    labels = set(re.findall(r'(\w+)="', text))

    assert {name for name in names if not re.match(r"momo_|http_(client|server)_", name)} == set()
    assert labels <= {
        "version", "role", "method", "route", "status", "le", "result", "outcome",
        "operation", "code", "country", "product", "currency",
    }  # fmt: skip
    assert 'method="other"' in text
