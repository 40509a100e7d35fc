"""A batch from its file to its end: every row one payment, at its rate, and never twice."""

from __future__ import annotations

import pytest

from momokit.gateway.core.batch import BatchState
from tests.gateway.batches.making import Desk, line

pytestmark = pytest.mark.anyio


async def test_a_batch_is_checked_approved_paid_and_finished(desk: Desk) -> None:
    """The whole way: each row becomes one payment, and all are paid."""
    batch = await desk.approved(*(line(number, 1000 + number) for number in range(5)))
    assert batch.state is BatchState.APPROVED
    done = await desk.run(batch)
    rows = await desk.rows(batch)
    assert done.amount == 5010
    assert [one.payment.state for one in rows if one.payment] == ["successful"] * 5
    assert sorted(one.payment.amount for one in await desk.payments()) == [
        1000, 1001, 1002, 1003, 1004,
    ]  # fmt: skip
