"""Submit something, never losing its reference id: it is made and shown before anything leaves."""

from __future__ import annotations

import uuid
from typing import TYPE_CHECKING

from momokit.cli.describe import mask_numbers
from momokit.cli.exits import OK
from momokit.cli.following import follow
from momokit.cli.intent import Move
from momokit.cli.output import facts, give, tell
from momokit.cli.session import InHand, Session
from momokit.errors import InvalidInput

if TYPE_CHECKING:
    from momokit import Accepted, Settings


_ALWAYS_DROPPED = ("reference_id", "idempotency_key", "dry_run", "show_numbers")


def move(here: Session, wanted: Move) -> int:
    """Submit, and wait for the outcome when asked to; give the exit code."""
    values = dict(wanted.values)
    settings = here.settings()
    reference_id = settle_reference_id(
        settings,
        kind=f"{wanted.product}.{wanted.kind}",
        reference_id=values.get("reference_id"),
        idempotency_key=values.get("idempotency_key"),
    )
    show_numbers = bool(values.get("show_numbers"))
    sent = {k: v for k, v in values.items() if k not in _ALWAYS_DROPPED and v is not None}
    sent["reference_id"] = reference_id
    if not sent.get("clean_notes"):
        sent.pop("clean_notes", None)
    if values.get("dry_run"):
        from momokit.cli.rehearsal import rehearse

        return rehearse(here, settings, wanted=wanted, sent=sent, show_numbers=show_numbers)
    in_hand = InHand(
        kind=wanted.kind, product=wanted.product, reference_id=reference_id, asks=wanted.asks
    )
    here.in_hand = in_hand
    tell(
        here,
        f"reference id {reference_id}: {wanted.what}",
        event="sending",
        reference_id=reference_id,
        kind=wanted.kind,
        product=wanted.product,
    )
    with here.client(settings) as momo:
        accepted: Accepted = getattr(getattr(momo, wanted.product), wanted.method)(**sent)
        if not wanted.waits:
            show_accepted(here, accepted, question=in_hand.question)
            return OK
        tell(here, "Accepted by MTN; waiting for the outcome.", event="accepted")
        return follow(
            here,
            momo,
            in_hand,
            timeout_seconds=wanted.timeout_seconds,
            show_numbers=show_numbers,
        )


def settle_reference_id(
    settings: Settings, *, kind: str, reference_id: str | None, idempotency_key: str | None
) -> str:
    """Give the reference id to be used: the caller's, one derived from the key, or a new one."""
    from momokit.operations.forms import check_reference_id, derive_reference_id

    if reference_id is not None and idempotency_key is not None:
        raise InvalidInput(
            "Give --reference-id or --idempotency-key, not both.", field="idempotency_key"
        )
    if reference_id is not None:
        return check_reference_id(reference_id)
    if idempotency_key is not None:
        return derive_reference_id(idempotency_key, market=settings.place, kind=kind)
    return str(uuid.uuid4())


def show_accepted(here: Session, accepted: Accepted, *, question: str | None) -> None:
    """Show that MTN has it, and how to learn the outcome."""
    told = {
        "reference_id": accepted.reference_id,
        "kind": accepted.kind,
        "product": accepted.product,
        "state": "accepted",
        "external_id": accepted.external_id,
        "attempts": accepted.attempts,
        "replayed": accepted.replayed,
        "note_changes": list(accepted.note_changes),
        "next": question,
    }
    lines = facts(
        {
            "reference id": accepted.reference_id,
            "status": "accepted by MTN"
            + (" earlier, under the same reference id" if accepted.replayed else ""),
            "external id": accepted.external_id,
            "notes": mask_numbers("; ".join(accepted.note_changes)),
            "outcome": question,
        }
    )
    give(here, told, *lines)
