"""How batches are shown on a terminal: what was checked, who signed, and what of it is paid."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from decimal import Decimal
from typing import Any

from momokit.cli.exits import OK, OPEN, REFUSED
from momokit.cli.output import facts, give, table
from momokit.cli.session import Session
from momokit.errors import InvalidInput
from momokit.money import Money

# In the order in which one asks: what is done, what went wrong, what is open, what waits.
STATE_ORDER = ("successful", "failed", "unknown", "pending", "created", "ready")
STYLES = {"successful": "green", "failed": "red", "unknown": "yellow"}
FINALS = ("successful", "failed")
_ENDED = ("finished", "cancelled", "rejected")
_NEXT = {
    "draft": "It is being checked: momo batch watch {id}",
    "checked": "Submit it for approval: momo batch submit {id}",
    "submitted": "A second person approves it with a key of their own: momo batch approve {id}",
    "paused": "Go on: momo batch resume {id}   or drop the rest: momo batch cancel {id}",
    "running": "Follow it: momo batch watch {id}",
    "finished": "What became of each row: momo batch results {id}",
    "cancelled": "What became of each row: momo batch results {id}",
}
_TO_OVERRIDE = "A second person takes these upon themselves: momo batch override {id} --code …"
_TO_CORRECT = "Some rows cannot be paid: momo batch rows {id} --check rejected"


def money(amount: str, currency: str) -> str:
    """Write an amount for people; zero too."""
    try:
        return str(Money(amount, currency))
    except InvalidInput:
        return f"{currency} {amount}"


def tally(batch: Mapping[str, Any], *states: str) -> tuple[int, Decimal]:
    """Rows and money of a batch that stand in these states."""
    found = [batch["progress"][state] for state in states if state in batch["progress"]]
    return sum(one["rows"] for one in found), sum(
        (Decimal(one["amount"]) for one in found), Decimal(0)
    )


def has_ended(batch: Mapping[str, Any]) -> bool:
    """Tell whether nothing more happens with a batch, what had left included."""
    open_rows, _ = tally(batch, "pending", "unknown", "created")
    return batch["state"] in _ENDED and open_rows == 0


def code_of_batch(batch: Mapping[str, Any]) -> int:
    """Say with which code a command ends that learned how a batch stands."""
    if not has_ended(batch):
        return OPEN
    failed, _ = tally(batch, "failed")
    return OK if batch["state"] == "finished" and failed == 0 else REFUSED


def show_batch(here: Session, batch: Mapping[str, Any], *, language: str = "en") -> None:
    """Show a batch: its facts, what was found, its rows by state, and whose move it is."""
    if here.as_json:
        give(here, batch)
        return
    give(here, batch, *facts(_facts(batch)))
    _show_findings(here, batch, language=language)
    show_progress(here, batch)
    moves = _moves(batch)
    if moves:
        give(here, batch, "", *moves)


def _facts(batch: Mapping[str, Any]) -> dict[str, Any]:
    float_, currency = batch["float"], batch["currency"]
    signed = {
        what: list(
            dict.fromkeys(
                one["person"] for one in batch["approvals"] if one["counts"] and one["what"] == what
            )
        )
        for what in ("approve", "override")
    }
    checks = ", ".join(f"{count} {name}" for name, count in sorted(batch["checks"].items()))
    missing = float_["missing"]
    return {
        "batch": batch["id"],
        "label": batch["label"],
        "period": batch["period"],
        "state": f"{batch['state']} ({batch['paused_reason']})"
        if batch["paused_reason"]
        else batch["state"],
        "to pay": f"{money(batch['amount'], currency)} in {batch['rows_to_pay']} rows"
        f" (of {batch['rows']})",
        "file": batch["file_name"],
        "checks": checks,
        "made by": batch["made_by"],
        "approved by": f"{', '.join(signed['approve']) or 'nobody yet'}"
        f" ({batch['approvals_needed']} needed)",
        "findings taken on by": ", ".join(signed["override"]),
        "hash": batch["hash"],
        "retry of": batch["parent_id"],
        "in the account": money(float_["balance"], currency) if float_["balance"] else None,
        "missing there": money(missing, currency) if missing and Decimal(missing) > 0 else None,
        "rate": f"{batch['rows_per_second']:g} rows a second",
    }


def _show_findings(here: Session, batch: Mapping[str, Any], *, language: str) -> None:
    for note in batch["notes"]:
        give(here, batch, f"note: {note[language]}")
    rows = [(one["severity"], one["code"], one[language]) for one in batch["findings"]]
    if rows:
        give(here, batch, "")
        table(here, ("weight", "code", "what was found"), rows)


def show_progress(here: Session, batch: Mapping[str, Any]) -> None:
    """Draw rows and money by state, with their sums."""
    currency, progress = batch["currency"], batch["progress"]
    known = [state for state in STATE_ORDER if state in progress]
    states = [*known, *sorted(set(progress) - set(known))]
    if not states:
        return
    rows = [
        (state, str(progress[state]["rows"]), money(progress[state]["amount"], currency))
        for state in states
    ]
    count, amount = tally(batch, *states)
    rows.append(("total", str(count), money(str(amount), currency)))
    styles = [*(STYLES.get(state, "") for state in states), "bold"]
    give(here, batch, "")
    table(here, ("state", "rows", "money"), rows, styles=styles)


def _moves(batch: Mapping[str, Any]) -> list[str]:
    """Whose move it is, and which command makes it."""
    state = batch["state"]
    lines = []
    if state == "checked" and batch["checks"].get("rejected"):
        lines.append(_TO_CORRECT)
    if state == "submitted" and batch["not_overridden"]:
        lines.append(f"{_TO_OVERRIDE}\n  {', '.join(batch['not_overridden'])}")
    if state in _NEXT:
        lines.append(_NEXT[state])
    failed, _ = tally(batch, "failed")
    if state == "finished" and failed:
        lines.append("Pay what is proven to have failed: momo batch retry-failed {id}")
    return [line.format(id=batch["id"]) for line in lines]


def show_rows(here: Session, rows: Sequence[Mapping[str, Any]], *, language: str) -> None:
    """Draw rows with how they stand and what was found in them."""
    drawn, styles = [], []
    for one in rows:
        payment = one["payment"] or {}
        said = [f"{found['column']}: {found[language]}".lstrip(": ") for found in one["findings"]]
        state = payment.get("state") or ("excluded" if one["excluded"] else one["check"])
        name = " / ".join(part for part in (one["name"], one["holder"]) if part)
        drawn.append(
            (
                str(one["row"]), one["phone"] or "", name, one["amount"] or "", state,
                "\n".join([payment.get("reason_code") or "", *said]).strip(),
            )
        )  # fmt: skip
        styles.append(STYLES.get(state, ""))
    columns = ("row", "number", "name / MTN's", "amount", "state", "what")
    table(here, columns, drawn, styles=styles)
