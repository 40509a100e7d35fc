"""The database itself holds a checkout to one open attempt, whatever code runs above it."""

from __future__ import annotations

import asyncio
from contextlib import suppress
from dataclasses import replace
from decimal import Decimal

import pytest
from sqlalchemy import delete, insert, update
from sqlalchemy.exc import DBAPIError, IntegrityError

from momokit.gateway.core.decide import decide
from momokit.gateway.core.facts import Told
from momokit.gateway.core.invoice import Terms
from momokit.gateway.store.attempts import (
    NotPayable,
    Overtaken,
    reserve,
    reserve_at_mtn,
    see,
)
from momokit.gateway.store.database import Transaction
from momokit.gateway.store.incidents import open_incidents
from momokit.gateway.store.invoice_life import follow_invoice, follow_time, send_invoice
from momokit.gateway.store.invoices import Invoice, add_invoice, find_invoice
from momokit.gateway.store.link_tables import attempts, invoice_events, invoices
from momokit.gateway.store.links import CHECKOUT, INVOICE, Checkout, add_checkout
from momokit.gateway.store.records import NotUnique
from momokit.gateway.store.standing import standing_of
from momokit.gateway.store.store import Store
from tests.gateway.store.making import Clock, accept, new_payment

pytestmark = pytest.mark.anyio

PAGE = Checkout(
    id="chk_1", kind=CHECKOUT, account_id="acc_1", token="t" * 43, currency="UGX",
    merchant_name="shop", amount=Decimal(5000),
)  # fmt: skip


def row(payment_id: str, number: int) -> dict[str, object]:
    """Lay out an attempt that holds its checkout."""
    return {
        "payment_id": payment_id, "channel": "page", "checkout_id": "chk_1", "number": number,
        "holds": True, "created_at": 0.0,
    }  # fmt: skip


async def test_two_held_attempts_are_refused_by_the_database(store: Store) -> None:
    """Direct SQL cannot open a second attempt at a checkout, nor give a number twice."""
    await store.write(lambda t: add_checkout(t, PAGE))
    await accept(store, "a", "b", "c")
    await store.write(lambda t: t.connection.execute(insert(attempts), [row("pay_a", 0)]))
    with pytest.raises(IntegrityError):
        await store.write(lambda t: t.connection.execute(insert(attempts), [row("pay_b", 1)]))
    await store.write(lambda t: t.connection.execute(update(attempts).values(holds=False)))
    with pytest.raises(IntegrityError):
        await store.write(lambda t: t.connection.execute(insert(attempts), [row("pay_b", 0)]))
    await store.write(lambda t: t.connection.execute(insert(attempts), [row("pay_c", 1)]))


async def test_an_attempt_and_its_payment_are_one(store: Store) -> None:
    """Refused, the payment is not there; taken, the next number alone is taken, when it is over."""
    await store.write(lambda t: add_checkout(t, PAGE))
    first, early, wrong = (new_payment(name, party_id=None) for name in "abc")
    await store.accept(first, idempotency=None, checks=[reserve(first, checkout=PAGE, number=0)])
    with pytest.raises(NotPayable):
        await store.accept(
            early, idempotency=None, checks=[reserve(early, checkout=PAGE, number=1)]
        )
    with pytest.raises(Overtaken):
        await store.accept(
            wrong, idempotency=None, checks=[reserve(wrong, checkout=PAGE, number=0)]
        )
    found = [await store.payment(f"pay_{name}") for name in "abc"]
    fact = Told(status="FAILED", reason_code="APPROVAL_REJECTED")
    await store.record("pay_a", lambda p, now: decide(p, fact, now=now), lease_token=None)
    await store.accept(early, idempotency=None, checks=[reserve(early, checkout=PAGE, number=1)])
    again = await store.payment("pay_b")

    assert [one is not None for one in found] == [True, False, False]
    assert again is not None


async def test_another_amount_is_refused(store: Store) -> None:
    """A checkout takes its own amount and no other, whoever asks."""
    await store.write(lambda t: add_checkout(t, PAGE))
    less = new_payment("a", amount=Decimal(4999))
    with pytest.raises(ValueError, match="least"):
        await store.accept(less, idempotency=None, checks=[reserve(less, checkout=PAGE, number=0)])

    assert await store.payment("pay_a") is None


async def test_the_history_of_invoices_is_only_added_to(store: Store) -> None:
    """The database refuses to change or to drop a line of it."""
    draft = Invoice(
        id="inv_1", account_id="acc_1", number="1", currency="UGX", merchant_name="shop",
        terms=Terms(total=Decimal(5)),
    )  # fmt: skip
    await store.write(lambda t: add_invoice(t, draft))
    await store.write(lambda t: send_invoice(t, "inv_1"))
    for statement in (update(invoice_events).values(event="x"), delete(invoice_events)):

        def change(transaction: Transaction, statement: object = statement) -> None:
            transaction.connection.execute(statement)  # type: ignore[call-overload]

        with pytest.raises(DBAPIError, match="history is only added to"):
            await store.write(change)
    after = await store.write(lambda t: follow_invoice(t, "inv_1"))

    assert (after.state, after.sequence) == ("sent", 1)


async def test_fifty_attempts_at_once_are_one(store: Store) -> None:
    """On both databases: whoever comes first has the checkout, the others have nothing stored."""
    await store.write(lambda t: add_checkout(t, PAGE))
    news = [new_payment(f"n{number}", party_id=None) for number in range(50)]
    results = await asyncio.gather(
        *(
            store.accept(new, idempotency=None, checks=[reserve(new, checkout=PAGE, number=0)])
            for new in news
        ),
        return_exceptions=True,
    )
    taken = [one for one in results if not isinstance(one, BaseException)]
    refused = {type(one) for one in results if isinstance(one, BaseException)}
    stored = [await store.payment(new.id) for new in news]

    assert len(taken) == 1
    assert refused <= {Overtaken, NotPayable, NotUnique}
    assert sum(one is not None for one in stored) == 1


async def test_parts_at_once_stay_within_the_invoice(store: Store) -> None:
    """Forty parts of seven at an invoice of a hundred, page and MTN at once: at most a hundred."""
    terms = Terms(total=Decimal(100), allow_partial=True, least=Decimal(1))
    draft = Invoice(
        id="inv_1", account_id="acc_1", number="1", currency="UGX", merchant_name="shop",
        terms=terms,
    )  # fmt: skip
    await store.write(lambda t: add_invoice(t, draft))
    await store.write(lambda t: send_invoice(t, "inv_1"))
    page = replace(PAGE, id="chk_2", token="u" * 43, kind=INVOICE, invoice_id="inv_1", amount=None)
    await store.write(lambda t: add_checkout(t, page))

    async def part(number: int) -> None:
        new = new_payment(f"p{number}", party_id=None, amount=Decimal(7))
        tries = (await store.read(lambda t: see(t, page))).tries
        with suppress(Overtaken, NotPayable, NotUnique, ValueError):
            await store.accept(
                new, idempotency=None, checks=[reserve(new, checkout=page, number=tries)]
            )
            fact = Told(status="SUCCESSFUL")
            await store.record(new.id, lambda p, now: decide(p, fact, now=now), lease_token=None)

    async def whole(number: int) -> None:
        new = new_payment(f"w{number}", party_id=None, kind="invoice", amount=Decimal(100))
        with suppress(Overtaken, NotPayable, NotUnique):
            await store.accept(
                new, idempotency=None, checks=[reserve_at_mtn(new, invoice_id="inv_1")]
            )

    for start in range(0, 40, 10):
        await asyncio.gather(*(part(start + n) for n in range(10)), whole(start))
    standing = await store.read(lambda t: standing_of(t, "inv_1"))

    assert 0 < standing.paid + standing.reserved <= 100


async def test_a_broken_invoice_holds_up_neither_money_nor_others(
    store: Store, clock: Clock
) -> None:
    """Its payment is recorded all the same, a person is told, and the others' dates are met."""
    for number in ("1", "2"):
        draft = Invoice(
            id=f"inv_{number}", account_id="acc_1", number=number, currency="UGX",
            merchant_name="shop", terms=Terms(total=Decimal(5000), due_at=clock.now + 100),
        )  # fmt: skip
        await store.write(lambda t, draft=draft: add_invoice(t, draft))  # type: ignore[misc]
        await store.write(lambda t, draft=draft: send_invoice(t, draft.id))  # type: ignore[misc]
    page = replace(PAGE, kind=INVOICE, invoice_id="inv_1", amount=None)
    await store.write(lambda t: add_checkout(t, page))
    new = new_payment("a", party_id=None)
    await store.accept(new, idempotency=None, checks=[reserve(new, checkout=page, number=0)])
    broken = update(invoices).where(invoices.c.id == "inv_1").values(sealed=b"broken")
    await store.write(lambda t: t.connection.execute(broken))
    fact = Told(status="SUCCESSFUL")
    await store.record("pay_a", lambda p, now: decide(p, fact, now=now), lease_token=None)
    clock.advance(200)
    seen = [await store.write(follow_time) for _ in range(2)]
    paid = await store.payment("pay_a")
    told = await store.read(open_incidents)
    other = await store.read(lambda t: find_invoice(t, "inv_2"))

    assert paid is not None
    assert paid.state.value == "successful"
    assert ["could not follow" in one.text for one in told] == [True]
    assert (seen, other.state) == ([2, 0], "overdue")
