"""What `momo` writes: results on stdout, everything else on stderr, JSON on both when asked for."""

from __future__ import annotations

import json
import logging
import sys
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

import click

from momokit.cli.session import Session
from momokit.errors import InvalidInput, MomoError, ProviderError

if TYPE_CHECKING:
    from rich.console import Console

_WIDE = 200


def write_json(value: Any, *, err: bool = False) -> None:
    """Write one JSON document on one line."""
    click.echo(json.dumps(value, ensure_ascii=False, default=str), err=err)


def give(session: Session, data: Any, *lines: str) -> None:
    """Give the result: as JSON, or as lines for a person."""
    if session.as_json:
        write_json(data)
        return
    for line in lines:
        click.echo(line)


def tell(session: Session, text: str, *, event: str, **facts: Any) -> None:
    """Say something on the way, on stderr: a line of text, or of JSON with its `event`."""
    if session.as_json:
        write_json({"event": event, **facts, "text": text}, err=True)
    else:
        click.echo(text, err=True)


def facts(pairs: Mapping[str, Any]) -> list[str]:
    """Lay out names and values in two columns, without those that have no value."""
    shown = {name: value for name, value in pairs.items() if value not in (None, "")}
    width = max((len(name) for name in shown), default=0)
    return [f"{name:<{width}}  {value}" for name, value in shown.items()]


def console(session: Session, *, err: bool = False) -> Console:
    """Give Rich's console, wide enough that nothing is cut when it is not a terminal."""
    from rich.console import Console

    stream = sys.stderr if err else sys.stdout
    return Console(
        file=stream,
        no_color=not session.in_color,
        highlight=False,
        markup=False,
        width=None if stream.isatty() else _WIDE,
    )


def table(
    session: Session,
    columns: Sequence[str],
    rows: Sequence[Sequence[str]],
    *,
    styles: Sequence[str] = (),
) -> None:
    """Draw a table; `styles` gives each row a colour."""
    from rich.table import Table
    from rich.text import Text

    drawn = Table(box=None, pad_edge=False, header_style="bold")
    for column in columns:
        drawn.add_column(column, overflow="fold")
    for number, row in enumerate(rows):
        style = styles[number] if styles else ""
        drawn.add_row(*(Text(cell) for cell in row), style=style)
    console(session).print(drawn)


def error_facts(error: MomoError, *, exit_code: int) -> dict[str, Any]:
    """Give an error as JSON has it; the same fields whatever its class."""
    provider = error if isinstance(error, ProviderError) else None
    return {
        "event": "error",
        "error": type(error).__name__,
        "message": error.message,
        "hint": error.hint,
        "field": getattr(error, "field", None),
        "reference_id": provider.reference_id if provider else None,
        "code": getattr(error, "code", None),
        "status": provider.status if provider else None,
        "detail": provider.detail if provider else "",
        "retry_is_safe": error.retry_is_safe,
        "exit_code": exit_code,
    }


def say_error(session: Session, error: MomoError, *, exit_code: int) -> None:
    """Say what went wrong and whose move it is; after doubt, exactly what to do next."""
    in_hand = session.in_hand
    question = in_hand.question if in_hand is not None and not error.retry_is_safe else None
    if session.as_json:
        write_json({**error_facts(error, exit_code=exit_code), "next": question}, err=True)
        return
    sent = "" if in_hand is None or not isinstance(error, InvalidInput) else " Nothing was sent."
    click.echo(f"{type(error).__name__}: {error.message}{sent}", err=True)
    if isinstance(error, ProviderError) and error.detail:
        click.echo(f"  MTN said: {error.detail}", err=True)
    if error.hint:
        click.echo(f"  {error.hint}", err=True)
    if isinstance(error, ProviderError) and error.reference_id:
        click.echo(f"  reference id {error.reference_id}", err=True)
    if question:
        click.echo("  The money may have moved. Do not pay again; first ask:", err=True)
        click.echo(f"    {question}", err=True)


class LogLines(logging.Handler):
    """Writes log lines to stderr, in the form the session has chosen."""

    def __init__(self, session: Session) -> None:
        super().__init__()
        self._session = session

    def emit(self, record: logging.LogRecord) -> None:
        """Write one record."""
        text = f"{record.levelname.lower()}: {record.getMessage()}"
        tell(self._session, text, event="log", logger=record.name)
