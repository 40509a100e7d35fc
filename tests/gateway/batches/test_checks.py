"""What is found before anything moves: in the file, in the past, and by asking MTN."""

from __future__ import annotations

from dataclasses import replace
from decimal import Decimal
from typing import Any

import pytest

from momokit.gateway.batches import CHECKING
from momokit.gateway.core.batch import BatchRefused, BatchState
from momokit.gateway.core.holder import Holder
from momokit.gateway.steps import batch_sign, batch_steer
from momokit.gateway.steps.batch_steer import Edit
from momokit.gateway.store.batches import Batch
from tests.gateway.batches.making import FAST, MAKER, Desk, line, phone

pytestmark = pytest.mark.anyio

CHECKED = replace(FAST, check_holders=True, checks_per_second=10.0)


def msisdn(number: int) -> str:
    """Give a number as MTN takes it."""
    return f"256{phone(number)[1:]}"


async def codes(desk: Desk, batch: Batch) -> list[list[str]]:
    """Name what was found in each row."""
    rows = await desk.rows(batch)
    return [[str(one["code"]) for one in both.row.findings] for both in rows]


async def states(desk: Desk, batch: Batch) -> list[str]:
    """Tell how the checks of each row stand."""
    return [both.row.check_state for both in await desk.rows(batch)]


async def edit(desk: Desk, batch: Batch, number: int, **changes: Any) -> None:
    """Change a row."""
    excluded = changes.pop("excluded", None)
    change = Edit(texts=changes, excluded=excluded)
    await batch_steer.edit_row(desk.store, batch.id, number, change, book=desk.book, actor=MAKER)


async def test_fm_27_an_outage_of_the_checks_fails_no_row(desk: Desk) -> None:
    """Rows that could not be checked are unverified, and are paid once a second person says so."""
    await desk.policy(CHECKED)
    batch = await desk.submitted(line(1), line(2))
    with pytest.raises(BatchRefused) as refused:
        await desk.approve(batch)
    await desk.override(batch, "account_unchecked")
    done = await desk.run(await desk.approve(batch))
    assert await states(desk, batch) == ["unverified", "unverified"]
    assert (refused.value.code, batch.wanted_overrides) == (
        "overrides_missing", ("account_unchecked",),
    )  # fmt: skip
    assert await desk.counts(done) == {"successful": 2}


async def test_fm_27_only_an_explicit_no_rejects(desk: Desk) -> None:
    """A number that MTN says is not active cannot be submitted; left out, the rest can."""
    await desk.policy(CHECKED)
    desk.holders = {
        msisdn(1): Holder(active="yes", given_name="Ama", family_name="Mensah"),
        msisdn(2): Holder(active="no"),
    }
    batch = await desk.checked(line(1, name="Ama Mensah"), line(2))
    with pytest.raises(BatchRefused) as refused:
        await batch_sign.submit(desk.store, batch.id, actor=MAKER)
    before = await states(desk, batch)
    await edit(desk, batch, 3, excluded=True)
    await desk.check(batch)
    submitted = await batch_sign.submit(desk.store, batch.id, actor=MAKER)
    assert before == ["ok", "rejected"]
    assert refused.value.code == "rows_rejected"
    assert (submitted.included_count, submitted.amount) == (1, 1000)


@pytest.mark.parametrize(
    ("name", "holder", "found", "state"),
    [
        ("Ama Mensah", ("Ama", "Mensah"), [], "ok"),
        ("MENSAH ama", ("Ama", "Mensah"), [], "ok"),
        ("Kofi Boateng", ("Ama", "Mensah"), ["name_differs"], "ok"),
        ("Ama Mensah", (None, None), ["name_unchecked"], "unverified"),
        ("", ("Ama", "Mensah"), [], "ok"),
    ],
)
async def test_the_name_is_held_against_mtns(
    desk: Desk, name: str, holder: tuple[str | None, str | None], found: list[str], state: str
) -> None:
    """A name matches, differs or could not be checked; never a green tick by default."""
    await desk.policy(CHECKED)
    given, family = holder
    desk.holders = {msisdn(1): Holder(active="yes", given_name=given, family_name=family)}
    batch = await desk.checked(line(1, name=name))
    ours = {"name_differs", "name_unchecked", "account_inactive", "account_unchecked"}
    told = [[code for code in row if code in ours] for row in await codes(desk, batch)]
    assert told == [found]
    assert await states(desk, batch) == [state]


async def test_what_mtn_said_serves_the_next_batch(desk: Desk) -> None:
    """A payee who was found is not asked about again next month; one who was not, is."""
    await desk.policy(CHECKED)
    desk.holders = {msisdn(1): Holder(active="yes", given_name="Ama", family_name="Mensah")}
    await desk.checked(line(1), line(2))
    await desk.checked(line(1), line(2), line(3))
    assert sorted(desk.holders_asked) == sorted([msisdn(1), msisdn(2), msisdn(2), msisdn(3)])


async def test_the_balance_is_there_for_whoever_approves(desk: Desk) -> None:
    """With the checks comes what is in the account; where MTN does not say, nothing is made up."""
    desk.balance = Decimal(1500)
    told = await desk.checked(line(1), line(2))
    desk.balance = None
    untold = await desk.checked(line(3))
    assert (told.amount, told.balance_minor, told.balance_at is not None) == (2000, 1500, True)
    assert untold.balance_minor is None


async def test_questions_go_at_their_rate(desk: Desk) -> None:
    """Two a second: after one step, two rows are checked and the rest wait."""
    await desk.policy(replace(CHECKED, checks_per_second=2.0))
    batch = await desk.upload(*(line(number) for number in range(5)))
    asked = []
    for _ in range(3):
        await desk.step(CHECKING)
        asked.append(len(desk.holders_asked))
        await desk.step(CHECKING)  # too early
        desk.clock.advance(1.0)
    assert asked == [2, 4, 5]
    assert (await desk.check(batch)).state is BatchState.CHECKED


async def test_what_could_not_be_checked_is_checked_again_when_asked(desk: Desk) -> None:
    """After the outage the maker has the rows checked once more."""
    await desk.policy(CHECKED)
    batch = await desk.checked(line(1))
    before = await states(desk, batch)
    desk.holders = {msisdn(1): Holder(active="yes", given_name="Ama", family_name="Mensah")}
    await batch_sign.recheck(desk.store, batch.id, actor=MAKER)
    after = await desk.check(batch)
    assert (before, await states(desk, batch)) == (["unverified"], ["ok"])
    assert after.wanted_overrides == ()


async def test_fm_25_the_same_file_twice_takes_a_second_persons_word(desk: Desk) -> None:
    """The file is known again, whatever its name and the order of its rows."""
    await desk.submitted(line(1), line(2), label="first")
    again = await desk.submitted(line(2), line(1), file_name="copy.csv")
    with pytest.raises(BatchRefused) as refused:
        await desk.approve(again)
    with pytest.raises(BatchRefused) as by_maker:
        await desk.override(again, "same_file", actor=MAKER)
    await desk.override(again, "same_file")
    approved = await desk.approve(again)
    assert again.wanted_overrides == ("same_file",)
    assert (refused.value.code, by_maker.value.code) == ("overrides_missing", "maker_cannot_check")
    assert approved.state is BatchState.APPROVED


async def test_fm_25_a_payee_is_not_paid_twice_for_a_period_unseen(desk: Desk) -> None:
    """Another file of the same month with one payee again needs a second person's word for it."""
    await desk.run(await desk.approved(line(1), line(2), period="2026-11"))
    batch = await desk.submitted(line(2, 500), line(3, 500), period="2026-11")
    other_month = await desk.submitted(line(2, 700), period="2026-12")
    assert await codes(desk, batch) == [["paid_same_period"], []]
    assert batch.wanted_overrides == ("paid_same_period",)
    assert other_month.wanted_overrides == ()


async def test_fm_25_what_failed_was_not_paid(desk: Desk) -> None:
    """A payee whose payment failed may be in the next file without a word."""
    desk.refusals = {msisdn(1): "PAYEE_NOT_FOUND"}
    await desk.run(await desk.approved(line(1), line(2), period="2026-11"))
    batch = await desk.checked(line(1), period="2026-11")
    assert await codes(desk, batch) == [[]]


async def test_a_batch_approved_meanwhile_outdates_the_checks(desk: Desk) -> None:
    """Two files with one payee, both checked before either was approved: the second is stopped."""
    first = await desk.submitted(line(1, 1000), period="2026-11")
    desk.clock.advance(1.0)
    second = await desk.submitted(line(1, 900), period="2026-11")
    desk.clock.advance(1.0)
    await desk.approve(first)
    with pytest.raises(BatchRefused) as refused:
        await desk.approve(second)
    await batch_sign.withdraw(desk.store, second.id, actor=MAKER)
    await batch_sign.recheck(desk.store, second.id, actor=MAKER)
    await desk.check(second)
    seen = await batch_sign.submit(desk.store, second.id, actor=MAKER)
    assert refused.value.code == "checks_outdated"
    assert seen.wanted_overrides == ("paid_same_period",)


async def test_a_row_is_corrected_and_checked_again(desk: Desk) -> None:
    """An amount that was wrong is put right; the row is then as good as any."""
    batch = await desk.checked(line(1, "10x0"), line(2))
    before = await states(desk, batch)
    await edit(desk, batch, 2, amount="1200", phone=phone(7))
    after = await desk.check(batch)
    rows = await desk.rows(batch)
    assert before == ["rejected", "ok"]
    assert await states(desk, batch) == ["ok", "ok"]
    assert (rows[0].row.personal.payee, after.amount) == (msisdn(7), 2200)


async def test_a_file_that_does_not_add_up_is_not_submitted(desk: Desk) -> None:
    """A total row that differs from the sum of the rows stops the whole file."""
    batch = await desk.checked(line(1), line(2), "Total,2500,,")
    with pytest.raises(BatchRefused, match="total_differs") as refused:
        await batch_sign.submit(desk.store, batch.id, actor=MAKER)
    assert refused.value.code == "file_rejected"


async def test_an_edit_that_makes_a_double_is_found(desk: Desk) -> None:
    """A row changed to another row's payee and amount takes a second person's word."""
    batch = await desk.checked(line(1), line(2))
    await edit(desk, batch, 3, phone=phone(1))
    after = await desk.check(batch)
    assert await codes(desk, batch) == [[], ["same_payee_and_amount"]]
    assert after.wanted_overrides == ("same_payee_and_amount",)


async def test_overrides_are_of_these_rows(desk: Desk) -> None:
    """What a second person took upon themselves is void once a row has changed."""
    batch = await desk.submitted(line(1), line(1, reference="again"))
    await desk.override(batch, "same_payee_and_amount")
    await batch_sign.withdraw(desk.store, batch.id, actor=MAKER)
    await edit(desk, batch, 3, reference="other")
    await desk.check(batch)
    changed = await batch_sign.submit(desk.store, batch.id, actor=MAKER)
    with pytest.raises(BatchRefused) as refused:
        await desk.approve(changed)
    assert refused.value.code == "overrides_missing"
