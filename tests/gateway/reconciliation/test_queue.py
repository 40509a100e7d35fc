"""The queue of discrepancies, and what the database itself refuses."""

from __future__ import annotations

from dataclasses import replace

import pytest
from sqlalchemy import delete, insert, update
from sqlalchemy.exc import DBAPIError, IntegrityError

from momokit.gateway.core.discrepancy import Finding, Kind, Stand
from momokit.gateway.store.database import Transaction
from momokit.gateway.store.discrepancies import (
    Discrepancy,
    NotAllowed,
    assign,
    close,
    count_open,
    find_discrepancy,
    let_go,
    propose,
    raise_findings,
    reopen,
    story,
)
from momokit.gateway.store.statement_tables import (
    discrepancies,
    discrepancy_events,
    statement_lines,
)
from momokit.gateway.store.store import Store
from tests.gateway.reconciliation.making import Paid, Sheet, put, take_in

pytestmark = pytest.mark.anyio
FINDING = Finding(kind=Kind.AMOUNT, subject="payment:pay_1", amount="5", details={"found": "5"})


async def raised(store: Store, finding: Finding = FINDING) -> Discrepancy:
    """Put one finding into the queue."""
    await store.write(lambda t: raise_findings(t, [finding], account_id="acc_1", product=""))
    found = await store.read(lambda t: find_discrepancy(t, 1))
    assert found is not None
    return found


async def test_what_is_found_again_is_not_raised_again(store: Store) -> None:
    """The same finding is one row, however often it is found."""
    first = await raised(store)
    second = await raised(store)
    counts = await store.read(count_open)
    assert (first.id, second.reopened, counts[Kind.AMOUNT]) == (second.id, 0, 1)


async def test_two_people_close_and_the_story_says_who(store: Store) -> None:
    """Proposed by one, closed by another; the first cannot, and nobody without a proposal."""
    one = await raised(store)
    with pytest.raises(NotAllowed):
        await store.write(lambda t: close(t, one.id, actor="kofi"))
    await store.write(lambda t: assign(t, one.id, actor="kofi", owner="amina"))
    await store.write(
        lambda t: propose(t, one.id, actor="amina", resolution="explained", note="seen")
    )
    with pytest.raises(NotAllowed) as refused:
        await store.write(lambda t: close(t, one.id, actor="amina"))
    closed = await store.write(lambda t: close(t, one.id, actor="kofi"))
    steps = await store.read(lambda t: story(t, one.id))
    assert refused.value.code == "four_eyes"
    assert (closed.state, closed.proposed_by, closed.closed_by) == (
        Stand.CLOSED, "amina", "kofi",
    )  # fmt: skip
    assert [step.actor for step in steps] == ["momokit", "kofi", "amina", "kofi"]


async def test_closed_stays_closed_until_its_facts_change(store: Store) -> None:
    """The same facts found again are settled; other facts about the same open it again."""
    one = await raised(store)
    await store.write(lambda t: propose(t, one.id, actor="a", resolution="explained", note=None))
    await store.write(lambda t: close(t, one.id, actor="b"))
    same = await raised(store)
    other = await raised(store, replace(FINDING, details={"found": "6"}))
    assert (same.state, other.state, other.reopened, other.closed_by) == (
        Stand.CLOSED, Stand.OPEN, 1, None,
    )  # fmt: skip


async def test_what_is_gone_and_comes_back_is_open_again(store: Store) -> None:
    """Gone by itself, back by itself: nobody closed it."""
    one = await raised(store)
    await store.write(lambda t: let_go(t, [one.id]))
    gone = await store.read(lambda t: find_discrepancy(t, one.id))
    back = await raised(store)
    assert gone is not None
    assert (gone.state, back.state, back.reopened) == (Stand.GONE, Stand.OPEN, 1)


async def test_a_proposal_can_be_turned_down(store: Store) -> None:
    """It is open again, and the story says who turned it down and why."""
    one = await raised(store)
    await store.write(lambda t: propose(t, one.id, actor="a", resolution="refunded", note="x"))
    again = await store.write(lambda t: reopen(t, one.id, actor="b", note="which refund?"))
    steps = await store.read(lambda t: story(t, one.id))
    assert (again.state, again.proposed_by, again.resolution) == (Stand.OPEN, None, None)
    assert (steps[-1].event, steps[-1].note) == ("turned down", "which refund?")


async def test_the_database_refuses_one_pair_of_eyes(store: Store) -> None:
    """Not even SQL by hand closes with one person, or without a proposal."""
    one = await raised(store)
    this = discrepancies.c.id == one.id
    closed = {"state": "closed", "resolution": "explained", "closed_at": 1.0}
    for values in (
        {"proposed_by": "amina", "closed_by": "amina"},
        closed | {"proposed_by": "amina", "closed_by": "amina"},
        closed | {"closed_by": "kofi"},
        closed | {"proposed_by": "amina"},
        {"state": "closed"},
    ):
        with pytest.raises(IntegrityError):
            await store.write(
                lambda t, values=values: t.connection.execute(
                    update(discrepancies).where(this).values(**values)
                )
            )
    found = await store.read(lambda t: find_discrepancy(t, one.id))
    assert found is not None
    assert found.state is Stand.OPEN


@pytest.mark.parametrize(
    "statement", [update(discrepancy_events).values(actor="x"), delete(discrepancy_events)]
)
async def test_the_story_is_only_added_to(store: Store, statement: object) -> None:
    """The database refuses to change or drop who did what."""
    await raised(store)
    with pytest.raises(DBAPIError, match="history is only added to"):
        await store.write(lambda t: t.connection.execute(statement))  # type: ignore[call-overload]


async def test_the_database_refuses_a_second_match(store: Store, tmp_path: object) -> None:
    """One line to one payment: a second match of a payment is refused by the database."""
    paid = Paid(number=1)
    await put(store, [paid])
    sheet = Sheet()
    sheet.tell(paid)
    sheet.tell(paid)
    await take_in(store, sheet.write(tmp_path / "s.csv"))  # type: ignore[operator]

    def forge(transaction: Transaction) -> None:
        transaction.connection.execute(
            update(statement_lines)
            .where(statement_lines.c.relation == "duplicate")
            .values(relation="match")
        )

    with pytest.raises(IntegrityError):
        await store.write(forge)
    with pytest.raises(IntegrityError):
        await store.write(
            lambda t: t.connection.execute(
                insert(discrepancies).values(
                    account_id="acc_1", product="", subject="line:x", details="{}",
                    fingerprint="", state="closed", found_at=1, seen_at=1, reopened=0,
                    **{"class": "amount"},
                )
            )
        )  # fmt: skip
