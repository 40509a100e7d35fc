"""`momo gateway review`: payments that a person should look at."""

from __future__ import annotations

import uuid
from typing import TYPE_CHECKING

import click

from momokit.cli.command import Group
from momokit.cli.exits import NOT_CHECKED, OK
from momokit.cli.gateway_store import in_store, moment, stamp
from momokit.cli.output import give, table
from momokit.cli.session import session
from momokit.errors import InvalidInput

if TYPE_CHECKING:
    from momokit.gateway.seal import Sealer
    from momokit.gateway.store.payments import Incident
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
        from momokit.gateway.store.payments import Filter, open_incidents

        found = await store.read(open_incidents)
        return found, (await store.list_payments(Filter(review=True), limit=200)).items

    incidents, payments = in_store(here, work)
    if here.as_json:
        told = [
            {"incident": one.id, "payment_id": one.payment_id, "at": stamp(one.at),
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
        rows = [(str(one.id), one.payment_id, moment(one.at), one.text) for one in incidents]
        table(here, ("incident", "payment", "at", "what"), rows)
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
        from momokit.gateway.store.payments import close_incident

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
