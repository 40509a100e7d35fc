"""Reading: pages that do not slip, filters, and a backup of a database in use."""

from __future__ import annotations

from pathlib import Path

import pytest

from momokit.gateway.core.facts import Taken
from momokit.gateway.core.payment import State
from momokit.gateway.store import payments
from momokit.gateway.store.measures import open_payments
from momokit.gateway.store.payments import Filter
from momokit.gateway.store.store import Store
from tests.gateway.store.making import START, Clock, accept, add_account, new_payment, on
from tests.gateway.veiled import VEIL

pytestmark = pytest.mark.anyio


async def test_pages_show_every_payment_once(store: Store, clock: Clock) -> None:
    """Newest first, also when times are equal and when new payments come in between."""
    await accept(store, *(f"p{n}" for n in range(5)))
    clock.advance(1)
    await accept(store, "q")
    seen: list[str] = []
    cursor = None
    while True:
        page = await store.list_payments(Filter(), cursor=cursor, limit=2)
        seen += [payment.id for payment in page.items]
        cursor = page.next_cursor
        if cursor is None:
            break
        await accept(store, f"new{len(seen)}")
    assert seen == ["pay_q", "pay_p4", "pay_p3", "pay_p2", "pay_p1", "pay_p0"]


@pytest.mark.parametrize("cursor", ["x", "", "W10=", "é"])
async def test_a_cursor_that_is_not_ours_is_refused(store: Store, cursor: str) -> None:
    """What we did not give out is an error of the caller."""
    with pytest.raises(ValueError, match="cursor"):
        await store.list_payments(Filter(), cursor=cursor)


@pytest.mark.parametrize(
    ("wanted", "expected"),
    [
        (Filter(account_ids=["acc_2"]), ["pay_b"]),
        (Filter(account_ids=[]), []),
        (Filter(states=[State.PENDING]), ["pay_a"]),
        (Filter(kind="transfer"), ["pay_b"]),
        (Filter(party_id="256770000009"), ["pay_c"]),
        (Filter(merchant_reference="order-1"), ["pay_a"]),
        (Filter(created_from=START + 1), ["pay_c"]),
        (Filter(created_before=START + 1), ["pay_b", "pay_a"]),
        (Filter(review=True), []),
    ],
)
async def test_filters(store: Store, clock: Clock, wanted: Filter, expected: list[str]) -> None:
    """Each filter takes what it names."""
    await add_account(store, "acc_2")
    await accept(store, "a", merchant_reference="order-1")
    await accept(store, "b", account_id="acc_2", kind="transfer")
    clock.advance(1)
    await accept(store, "c", party_id="256770000009")
    await store.record("pay_a", on(Taken()), lease_token=None)
    page = await store.list_payments(wanted)
    assert [payment.id for payment in page.items] == expected


async def test_a_payment_is_found_by_each_of_its_numbers(store: Store) -> None:
    """By ours, by the one MTN knows, and by the external id."""
    stored = (await store.accept(new_payment("a"), idempotency=None)).payment
    reference_id = stored.request.reference_id
    found = [
        await store.payment("pay_a"),
        await store.read(lambda t: payments.find_by_reference(t, reference_id=reference_id)),
        await store.read(lambda t: payments.find_by_reference(t, external_id="ext-a")),
        await store.payment("pay_b"),
    ]
    assert found == [stored, stored, stored, None]


async def test_open_payments_are_counted(store: Store) -> None:
    """The gauges show how many are open, per account and state."""
    await accept(store, "a", "b", "c")
    await store.record("pay_a", on(Taken()), lease_token=None)
    found = await store.read(open_payments)
    counts = {(one.account_id, one.state): one.count for one in found}
    assert counts == {("acc_1", State.CREATED): 2, ("acc_1", State.PENDING): 1}


async def test_no_number_is_shown_in_print(store: Store) -> None:
    """Printing what the store gives out shows no MSISDN, header or body."""
    result = await store.accept(new_payment("a"), idempotency=None)
    shown = repr(result) + repr(new_payment("a")) + repr(await store.timeline("pay_a"))
    assert "256770000001" not in shown
    assert '"amount"' not in shown


async def test_a_backup_of_a_database_in_use_is_whole(store: Store, tmp_path: Path) -> None:
    """The copy opens as a store of its own; on PostgreSQL its own tools are named instead."""
    await accept(store, "a")
    copy = tmp_path / "copy.db"
    if not store.is_sqlite:
        with pytest.raises(ValueError, match="pg_dump"):
            await store.backup(copy)
        return
    await store.backup(copy)
    other = Store(f"sqlite:///{copy}", veil=VEIL, clock=lambda: START)
    copied = await other.payment("pay_a")
    other.close()
    assert copied == await store.payment("pay_a")
