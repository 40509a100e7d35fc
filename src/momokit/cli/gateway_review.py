"""`momo gateway review`: payments that a person should look at."""

from __future__ import annotations

import uuid
from typing import TYPE_CHECKING, Literal

import click

from momokit.cli.command import Group
from momokit.cli.exits import NOT_CHECKED, OK
from momokit.cli.gateway_store import in_store, moment, stamp
from momokit.cli.output import give, table
from momokit.cli.session import session
from momokit.errors import InvalidInput

if TYPE_CHECKING:
    from momokit.gateway.seal import Sealer
    from momokit.gateway.store.incidents import Incident
    from momokit.gateway.store.records import StoredPayment
    from momokit.gateway.store.store import Store


@click.group(cls=Group)
def review() -> None:
    """See to payments that the gateway cannot bring to an end alone."""


@review.command("list", examples=("momo gateway review list",))
def list_() -> int:
    """List open incidents and the payments that wait for a person."""
    here = session()

    async def work(store: Store, _: Sealer) -> tuple[list[Incident], list[StoredPayment]]:
        from momokit.gateway.store.incidents import open_incidents
        from momokit.gateway.store.payments import Filter

        found = await store.read(open_incidents)
        return found, (await store.list_payments(Filter(review=True), limit=200)).items

    incidents, payments = in_store(here, work)
    if here.as_json:
        told = [
            {"incident": one.id, "payment_id": one.payment_id, "at": stamp(one.at),
             "times": one.times, "last_seen_at": stamp(one.last_seen_at or one.at),
             "what": one.text}
            for one in incidents
        ]  # fmt: skip
        waiting = [
            {"payment_id": one.id, "state": one.state.value, "kind": one.payment.kind,
             "amount": str(one.payment.amount), "currency": one.payment.currency,
             "reference_id": one.request.reference_id,
             "created_at": stamp(one.payment.created_at)}
            for one in payments
        ]  # fmt: skip
        give(here, {"incidents": told, "payments": waiting})
        return OK
    if not incidents and not payments:
        give(here, None, "Nothing waits for a person.")
    if incidents:
        rows = [
            (str(one.id), one.payment_id, moment(one.at), str(one.times), one.text)
            for one in incidents
        ]
        table(here, ("incident", "payment", "at", "times", "what"), rows)
    if payments:
        lines = [
            (
                one.id, one.state.value, one.payment.kind,
                f"{one.payment.amount} {one.payment.currency}", moment(one.payment.created_at),
                one.request.reference_id,
            )
            for one in payments
        ]  # fmt: skip
        table(here, ("payment", "state", "kind", "amount", "since", "reference id"), lines)
    return OK


@review.command(examples=("momo gateway review resolve 12",))
@click.argument("incident_id", type=int)
def resolve(incident_id: int) -> int:
    """Note that an incident was looked at. The payment itself is not touched."""
    here = session()

    async def work(store: Store, _: Sealer) -> bool:
        from momokit.gateway.store.incidents import close_incident

        return await store.write(lambda t: close_incident(t, incident_id))

    if not in_store(here, work):
        raise InvalidInput(
            f"There is no open incident {incident_id}.",
            field="incident_id",
            hint="momo gateway review list",
        )
    give(here, {"incident": incident_id, "closed": True}, f"Incident {incident_id} is closed.")
    return OK


@review.command(examples=("momo gateway review ask pay_3f0c6a1be0a94b5d8c7e2f1122334455",))
@click.argument("payment_id")
def ask(payment_id: str) -> int:
    """Have MTN asked about a payment once more, now; nothing is sent again."""
    here = session()

    async def work(store: Store, _: Sealer) -> bool:
        from momokit.gateway.store.inbox import HintRequest

        if await store.payment(payment_id) is None:
            return False
        # No two are alike, or the second would be taken for the first one repeated.
        body = f"asked for by hand, {uuid.uuid4()}".encode()
        request = HintRequest(body=body, method="REVIEW", payment_id=payment_id, reopens=True)
        await store.hint(request)
        return True

    if not in_store(here, work):
        give(here, {"payment_id": payment_id, "asked": False}, "There is no such payment.")
        return NOT_CHECKED
    give(here, {"payment_id": payment_id, "asked": True}, "A worker will ask MTN about it now.")
    return OK


@review.command(
    examples=(
        "momo gateway review settle pay_3f0c6a1be0a94b5d8c7e2f1122334455 --outcome failed"
        " --evidence 'statement of 31 January, no such line' --because 'closed with MTN, case 4711'"
        " --by 'Ama Mensah'",
    )
)
@click.argument("payment_id")
@click.option(
    "--outcome", type=click.Choice(["successful", "failed"]), required=True,
    help="Whether the money moved.",
)  # fmt: skip
@click.option("--evidence", required=True, metavar="TEXT", help="What shows it, and where it is.")
@click.option("--because", required=True, metavar="TEXT", help="Why it is settled by hand.")
@click.option("--by", required=True, metavar="NAME", help="Who says so.")
@click.option("--financial-id", metavar="ID", help="MTN's number of it, when the money moved.")
@click.option("--force", is_flag=True, help="Even while MTN is still asked, or has said otherwise.")
def settle(
    payment_id: str,
    outcome: Literal["successful", "failed"],
    evidence: str,
    because: str,
    by: str,
    financial_id: str | None,
    force: bool,
) -> int:
    """Put on record how a payment ended, as your word and with its evidence.

    The merchant is told, and MTN is asked twice more: should it say otherwise, its word is taken,
    and raised. While MTN is still being asked by plan, this is refused.
    """
    here = session()

    async def work(store: Store, _: Sealer) -> bool:
        from momokit.gateway.core.facts import PersonSays
        from momokit.gateway.steps.put_on_record import put_on_record

        says = PersonSays(
            outcome=outcome, evidence=evidence, because=because, by=by,
            financial_transaction_id=financial_id,
        )  # fmt: skip
        return await put_on_record(payment_id, says, store=store, force=force) is not None

    if not in_store(here, work):
        give(here, {"payment_id": payment_id, "settled": False}, "There is no such payment.")
        return NOT_CHECKED
    told = {"payment_id": payment_id, "settled": True, "outcome": outcome, "by": by}
    give(here, told, f"{payment_id} is on record as {outcome}, by {by}.")
    return OK
