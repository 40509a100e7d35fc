"""Limits where money is taken in, and switches that stop all of it, on both databases."""

from __future__ import annotations

import asyncio
from decimal import Decimal
from typing import Any

import pytest
from sqlalchemy import delete, select, update
from sqlalchemy.exc import DBAPIError

from momokit.gateway.core.facts import Taken, Told, TurnedDown
from momokit.gateway.core.limits import Limits, day_of
from momokit.gateway.core.payment import Work
from momokit.gateway.store import guards, sums, switches
from momokit.gateway.store.accounts import list_accounts
from momokit.gateway.store.guard_tables import guard_events, spent
from momokit.gateway.store.guards import LimitExceeded
from momokit.gateway.store.payments import Filter
from momokit.gateway.store.personal import party_hash
from momokit.gateway.store.records import NoSuchRow
from momokit.gateway.store.store import Store
from momokit.gateway.store.switches import Name, Stopped
from momokit.gateway.store.tables import payments
from tests.gateway.store.making import Clock, add_account, claim_of, new_payment, on

pytestmark = pytest.mark.anyio

FAILED = Told(status="FAILED", reason_code="PAYEE_NOT_FOUND")
SUCCESSFUL = Told(status="SUCCESSFUL", financial_transaction_id="1")


async def _limit(store: Store, account_id: str = "acc_1", **limits: str) -> None:
    told = {"UGX": Limits(**{name: Decimal(text) for name, text in limits.items()})}
    await store.write(lambda t: guards.set_limits(t, account_id, told, because="policy", by="Ada"))


async def _send(store: Store, name: str, amount: str = "100", **changes: Any) -> str | None:
    """Try to pay out; give the limit that it met, None when it was taken."""
    fields = {"kind": "transfer", "product": "disbursement", "amount": Decimal(amount)}
    try:
        await store.accept(new_payment(name, **{**fields, **changes}), idempotency=None)
    except LimitExceeded as error:
        return f"{error.exceeded.limit} {error.exceeded.left}"
    return None


async def _spent(store: Store) -> Decimal | None:
    return (await store.read(lambda t: sums.spent_today(t, "acc_1"))).get("UGX")


@pytest.mark.parametrize(
    ("limits", "amounts", "met"),
    [
        ({"send_per_payment": "100"}, ["100", "101"], [None, "send_per_payment 100"]),
        ({"send_per_day": "250"}, ["100", "150", "1"], [None, None, "send_per_day 0"]),
        ({"send_per_day": "250"}, ["200", "60", "50"], [None, "send_per_day 50", None]),
        ({"send_per_payee_per_day": "150"}, ["100", "51"], [None, "send_per_payee_per_day 50"]),
        ({"new_payee_per_day": "10"}, ["10", "1"], [None, "new_payee_per_day 0"]),
        ({"send_per_day": "0"}, ["1"], ["send_per_day 0"]),
    ],
)
async def test_a_limit_says_which_it_is_and_what_is_left(
    store: Store, limits: dict[str, str], amounts: list[str], met: list[str | None]
) -> None:
    """What fits is taken to the last unit; what does not leaves no trace."""
    await _limit(store, **limits)
    found = [await _send(store, f"n{n}", amount) for n, amount in enumerate(amounts)]
    taken = len((await store.list_payments(Filter())).items)
    assert found == met
    assert taken == met.count(None)


async def test_each_payee_and_each_account_has_its_own(store: Store) -> None:
    """Another payee is paid though the first had its share; another account has no limits."""
    await add_account(store, "acc_2")
    await _limit(store, send_per_payee_per_day="100")
    found = [
        await _send(store, "a", party_id="256770000001"),
        await _send(store, "b", party_id="256770000002"),
        await _send(store, "c", party_id="256770000001"),
        await _send(store, "d", party_id="256770000001", account_id="acc_2"),
    ]
    assert found == [None, None, "send_per_payee_per_day 0", None]


async def test_money_that_comes_in_has_a_limit_of_its_own(store: Store) -> None:
    """Requests to payers are no payments out, and the other way round."""
    await _limit(store, collect_per_payment="100", send_per_payment="50")
    pull = {"kind": "request_to_pay", "product": "collection"}
    found = [
        await _send(store, "a", "100", **pull),
        await _send(store, "b", "101", **pull),
        await _send(store, "c", "51"),
    ]
    assert found == [None, "collect_per_payment 100", "send_per_payment 50"]
    assert await _spent(store) is None


async def test_another_currency_is_no_way_around_a_limit(store: Store) -> None:
    """Where limits are set, money leaves in their currencies alone."""
    await _limit(store, send_per_day="100")
    assert await _send(store, "a", "1", currency="USD") == "currency 0"


async def test_a_day_ends_at_midnight_utc(store: Store, clock: Clock) -> None:
    """The next day begins with nothing spent."""
    await _limit(store, send_per_day="100")
    first = [await _send(store, "a"), await _send(store, "b")]
    clock.now = (day_of(clock.now) + 1) * 86400.0
    assert first == [None, "send_per_day 0"]
    assert await _send(store, "c") is None


async def test_a_payee_is_not_new_a_day_after_it_was_paid(store: Store, clock: Clock) -> None:
    """Only a payment that succeeded makes a payee known, and only after a day."""
    await _limit(store, new_payee_per_day="100")
    await _send(store, "a", "100")
    clock.advance(86_400)
    still_new = await _send(store, "b", "101")
    await store.record("pay_a", on(Taken()), lease_token=None)
    await store.record("pay_a", on(SUCCESSFUL), lease_token=None)
    assert still_new == "new_payee_per_day 100"
    assert await _send(store, "c", "5000") is None


async def test_what_failed_gives_its_share_back_to_its_day(store: Store, clock: Clock) -> None:
    """Also on the day after, when that is of no use any more; a corrected one takes it again."""
    await _limit(store, send_per_day="300", send_per_payee_per_day="300")
    for name in ("a", "b", "c"):
        await _send(store, name)
    await store.record("pay_a", on(TurnedDown(code="PAYEE_NOT_FOUND")), lease_token=None)
    await store.record("pay_a", on(FAILED), lease_token=None)
    given_back = await _spent(store)
    room = [await _send(store, "d"), await _send(store, "e")]
    await store.record("pay_a", on(SUCCESSFUL), lease_token=None)
    corrected = await _spent(store)
    await store.record("pay_b", on(Taken()), lease_token=None)
    clock.advance(86_400)
    await store.record("pay_b", on(FAILED), lease_token=None)
    today = await _spent(store)
    rows = select(spent.c.amount).where(spent.c.party_hash == sums.ALL)
    kept = await store.read(lambda t: t.connection.execute(rows).scalars().all())
    assert (given_back, corrected) == (Decimal(200), Decimal(400))
    assert room == [None, "send_per_payee_per_day 0"]
    assert (today, kept) == (None, ["300"])


async def test_fifty_at_once_never_exceed_it(store: Store) -> None:
    """As many are taken as fit, however many ask in the same moment."""
    await _limit(store, send_per_day="1000", send_per_payee_per_day="600")
    found = await asyncio.gather(
        *(_send(store, f"n{n}", "100", party_id=f"25677000000{n % 2}") for n in range(50))
    )
    taken = (await store.list_payments(Filter(), limit=200)).items
    assert found.count(None) == len(taken) == 10
    assert await _spent(store) == 1000


async def test_limits_set_in_the_midst_of_a_day_count_what_was_paid(store: Store) -> None:
    """Setting them late opens no second day; who set them and why is kept, for ever."""
    await _send(store, "a", "70")
    await _send(store, "b", "20")
    await store.record("pay_b", on(TurnedDown(code="PAYEE_NOT_FOUND")), lease_token=None)
    await store.record("pay_b", on(FAILED), lease_token=None)
    await _limit(store, send_per_day="100", send_per_payee_per_day="100")
    found = [await _send(store, "c", "31"), await _send(store, "d", "30")]
    [account] = await store.read(list_accounts)
    [event] = await store.read(lambda t: switches.list_guard_events(t, account_id="acc_1"))
    assert found == ["send_per_payee_per_day 30", None]
    assert account.limits == {"UGX": {"send_per_day": "100", "send_per_payee_per_day": "100"}}
    assert (event.what, event.because, event.by) == ("limits_set", "policy", "Ada")


async def test_limits_of_nobody_cannot_be_set(store: Store) -> None:
    """An account that is not there has none."""
    with pytest.raises(NoSuchRow):
        await _limit(store, "acc_9", send_per_day="1")


async def test_many_payments_are_counted_at_once_or_not_at_all(store: Store) -> None:
    """For a batch: looked at beforehand, then taken in the transaction that stores its rows."""
    await _limit(store, send_per_day="1000", send_per_payee_per_day="500")

    async def amounts(*of: tuple[str, str]) -> list[tuple[str | None, Decimal]]:
        return await store.read(
            lambda t: [(party_hash(t.veil, "MSISDN", who), Decimal(much)) for who, much in of]
        )

    fits = await amounts(("1", "500"), ("2", "400"))
    too_much = await amounts(("1", "300"), ("1", "201"))
    about = {"account_id": "acc_1", "currency": "UGX"}
    room = await store.read(lambda t: guards.room_for(t, **about, amounts=too_much))
    with pytest.raises(LimitExceeded):
        await store.write(lambda t: guards.take(t, **about, amounts=too_much))
    nothing = await _spent(store)
    day = await store.write(lambda t: guards.take(t, **about, amounts=fits))
    assert room is not None
    assert (room.limit, room.left) == ("send_per_payee_per_day", Decimal(200))
    assert (nothing, await _spent(store)) == (None, Decimal(900))
    assert day == day_of(await store.now())
    assert await _send(store, "a", "101", party_id="3") == "send_per_day 100"


async def test_a_key_that_was_used_is_answered_whatever_the_limits_say_now(store: Store) -> None:
    """A retry of what was taken is no new payment."""
    new = new_payment("a", kind="transfer", product="disbursement", amount=Decimal(100))
    await store.accept(new, idempotency=claim_of("k"))
    await _limit(store, send_per_day="0")
    again = await store.accept(
        new_payment("b", kind="transfer", product="disbursement"), idempotency=claim_of("k")
    )
    assert again.payment.id == "pay_a"


@pytest.mark.parametrize("name", list(Name))
async def test_stopped_money_is_neither_taken_in_nor_sent_and_questions_go_on(
    store: Store, name: Name
) -> None:
    """From the very next claim; what has left is followed, and all goes on after a resume."""
    await store.accept(new_payment("left"), idempotency=None)
    await store.record("pay_left", on(Taken()), lease_token=None)
    await store.accept(new_payment("waits"), idempotency=None)
    await store.write(lambda t: switches.turn(t, name, on=True, because="fraud", by="Ada"))
    sends = await store.claim(Work.SUBMIT, limit=10, lease_seconds=30)
    with pytest.raises(Stopped, match="fraud"):
        await store.accept(new_payment("new"), idempotency=claim_of("k"))
    await store.write(lambda t: t.connection.execute(update(payments).values(due_at=0)))
    questions = await store.claim(Work.SETTLE, limit=10, lease_seconds=30)
    await store.write(lambda t: switches.turn(t, name, on=False, because="seen to", by="Ben"))
    after = await store.claim(Work.SUBMIT, limit=10, lease_seconds=30)
    taken = await store.accept(new_payment("new"), idempotency=claim_of("k"))
    history = await store.read(switches.list_guard_events)
    assert (sends, [one.id for one in questions]) == ([], ["pay_left"])
    assert ([one.id for one in after], taken.outcome.value) == (["pay_waits"], "new")
    assert [(one.what, one.by) for one in history] == [
        (f"{name.value}_off", "Ben"),
        (f"{name.value}_on", "Ada"),
    ]


async def test_while_stopped_what_may_be_on_its_way_is_still_asked_about(
    store: Store, clock: Clock
) -> None:
    """A worker died in the midst of a send: that is found out, for nothing is sent by it."""
    await store.accept(new_payment("a"), idempotency=None)
    await store.claim(Work.SUBMIT, limit=1, lease_seconds=30)
    await store.write(lambda t: switches.turn(t, Name.MONEY, on=True, because="drill", by="Ada"))
    clock.advance(31)
    [found] = await store.claim(Work.SUBMIT, limit=1, lease_seconds=30)
    assert found.was_sending


@pytest.mark.parametrize(
    "statement", [update(guard_events).values(by="nobody"), delete(guard_events)]
)
async def test_the_history_of_guards_is_only_added_to(store: Store, statement: Any) -> None:
    """The database refuses to change or to drop a line of it."""
    await store.write(lambda t: switches.turn(t, Name.MONEY, on=True, because="drill", by="Ada"))
    with pytest.raises(DBAPIError, match="history is only added to"):
        await store.write(lambda t: t.connection.execute(statement))
    [line] = await store.read(switches.list_guard_events)
    assert line.by == "Ada"
