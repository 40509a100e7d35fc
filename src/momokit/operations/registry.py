"""Find a kind of submission by its name, so that a stored reference id can be asked about later."""

from __future__ import annotations

from momokit.errors import InvalidInput
from momokit.models import Accepted, Outcome
from momokit.operations import collection, disbursement, remittance
from momokit.operations.ask import status
from momokit.operations.exchange import Operation
from momokit.operations.forms import check_reference_id
from momokit.operations.kind import Kind
from momokit.operations.token import Access

KINDS: tuple[Kind, ...] = (
    collection.REQUEST_TO_PAY,
    collection.WITHDRAW,
    collection.INVOICE,
    collection.PRE_APPROVAL,
    collection.PAYMENT,
    disbursement.TRANSFER,
    disbursement.DEPOSIT,
    disbursement.REFUND,
    remittance.TRANSFER,
    remittance.CASH_TRANSFER,
)
"""Every kind that has a status. A transfer with no product named is a disbursement."""


def find_kind(name: str, product: str | None = None) -> Kind:
    """Give the kind with this name (of this product, when one is named)."""
    for kind in KINDS:
        if kind.name == name and product in (None, kind.product):
            return kind
    known = ", ".join(sorted({kind.name for kind in KINDS}))
    where = f" in {product}" if product else ""
    raise InvalidInput(
        f"There is no {name!r}{where} with a status to ask for.",
        field="kind",
        hint=f"Known kinds: {known}.",
    )


def kind_of(what: Accepted | str, *, kind: str | None, product: str | None) -> tuple[Kind, str]:
    """Read "what to ask about": an `Accepted`, or a reference id with the name of its kind."""
    if isinstance(what, Accepted):
        return find_kind(what.kind, what.product), what.reference_id
    if kind is None:
        raise InvalidInput(
            "Say of which kind this reference id is.",
            field="kind",
            hint="For example kind='request_to_pay'.",
        )
    return find_kind(kind, product), check_reference_id(what)


def status_of(access: Access, kind: Kind, reference_id: str) -> Operation[Outcome]:
    """Ask for the status of a reference id of this kind."""
    return status(
        access,
        operation=kind.status_operation,
        path=kind.status_of(reference_id),
        reference_id=reference_id,
        model=kind.model,
    )
