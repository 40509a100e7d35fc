"""`momo batch`: sign a batch and steer it; each command shows what it did and whose move it is."""

from __future__ import annotations

import sys
from collections.abc import Mapping
from typing import Any

import click

from momokit.cli.batch_show import show_batch
from momokit.cli.command import Command, usage
from momokit.cli.exits import OK
from momokit.cli.gateway_http import GatewayClient, gateway_options
from momokit.cli.options import language_option
from momokit.cli.output import tell
from momokit.cli.session import session

_ID = "bat_3f0c6a1be0a94b5d8c7e2f110a9b4c2d"
_because_option = click.option("--because", required=True, metavar="TEXT", help="Why, on record.")
_hash_option = click.option(
    "--hash", "seen_hash", metavar="HASH", help="The rows you mean; the batch's hash as you saw it."
)


def _act(
    url: str | None,
    key: str | None,
    path: str,
    body: Mapping[str, Any] | None = None,
    *,
    language: str,
) -> int:
    done = GatewayClient(url, key).post(f"/v1/batches/{path}", body)
    show_batch(session(), done, language=language)
    return OK


def _plain(name: str, summary: str) -> click.Command:
    """A command that takes a batch and nothing else."""

    @click.command(name, cls=Command, help=summary, examples=(f"momo batch {name} {_ID}",))
    @click.argument("batch_id")
    @language_option
    @gateway_options
    def act(batch_id: str, language: str, url: str | None, key: str | None) -> int:
        return _act(url, key, f"{batch_id}/{name}", language=language)

    return act


def _with_reason(name: str, summary: str) -> click.Command:
    """A command that takes a batch and a reason."""

    @click.command(
        name, cls=Command, help=summary, examples=(f"momo batch {name} {_ID} --because 'a doubt'",)
    )
    @click.argument("batch_id")
    @_because_option
    @language_option
    @gateway_options
    def act(batch_id: str, because: str, language: str, url: str | None, key: str | None) -> int:
        return _act(url, key, f"{batch_id}/{name}", {"because": because}, language=language)

    return act


submit = _plain("submit", "Put a checked batch before a second person; its rows change no more.")
withdraw = _plain("withdraw", "Take a submitted batch back, to change it.")
recheck = _plain("recheck", "Check again what could not be checked, or what MTN found wrong.")
resume = _plain("resume", "Let a paused batch go on where it stopped; no row is begun anew.")
pause = _with_reason("pause", "Let nothing more go; what is being sent is followed to its end.")
cancel = _with_reason("cancel", "Drop for good what has not left; the rest is followed to its end.")


@click.command(
    cls=Command,
    examples=(f"momo batch approve {_ID}", f"momo batch approve {_ID} --hash 9f2c… --json"),
)
@click.argument("batch_id")
@_hash_option
@language_option
@gateway_options
def approve(
    batch_id: str, seen_hash: str | None, language: str, url: str | None, key: str | None
) -> int:
    """Approve a batch that another person made. With enough approvals it is paid.

    Shows the batch and asks; in a script, --hash names the rows you looked at. Any change of a row
    since then makes another hash, and the approval is refused.
    """
    return _sign("approve", batch_id, seen_hash, url=url, key=key, language=language, body={})


@click.command(cls=Command, examples=(f"momo batch reject {_ID} --because 'the wrong month'",))
@click.argument("batch_id")
@_because_option
@_hash_option
@language_option
@gateway_options
def reject(
    batch_id: str,
    because: str,
    seen_hash: str | None,
    language: str,
    url: str | None,
    key: str | None,
) -> int:
    """Turn a submitted batch down, for good."""
    return _sign(
        "reject", batch_id, seen_hash, url=url, key=key, language=language,
        body={"because": because},
    )  # fmt: skip


@click.command(
    cls=Command,
    examples=(
        f"momo batch override {_ID} --code name_differs --because 'married name, papers seen'",
    ),
)
@click.argument("batch_id")
@click.option(
    "--code", "codes", multiple=True, required=True, metavar="CODE", help="Which; may be repeated."
)
@_because_option
@_hash_option
@language_option
@gateway_options
def override(
    batch_id: str,
    codes: tuple[str, ...],
    because: str,
    seen_hash: str | None,
    language: str,
    url: str | None,
    key: str | None,
) -> int:
    """Take findings upon yourself, as a second person, and say why.

    `momo batch show` lists the codes that wait for it.
    """
    return _sign(
        "override", batch_id, seen_hash, url=url, key=key, language=language,
        body={"codes": list(codes), "because": because},
    )  # fmt: skip


@click.command("retry-failed", cls=Command, examples=(f"momo batch retry-failed {_ID}",))
@click.argument("batch_id")
@click.option("--with-cancelled", is_flag=True, help="Also what was cancelled and never left.")
@language_option
@gateway_options
def retry_failed(
    batch_id: str, with_cancelled: bool, language: str, url: str | None, key: str | None
) -> int:
    """Make a new batch of the rows that are proven to have failed. It needs approval anew.

    Rows that are unknown or under way are never in it.
    """
    body = {"with_cancelled": with_cancelled}
    return _act(url, key, f"{batch_id}/retry-failed", body, language=language)


def _sign(
    action: str,
    batch_id: str,
    seen_hash: str | None,
    *,
    url: str | None,
    key: str | None,
    language: str,
    body: Mapping[str, Any],
) -> int:
    """Sign the rows with a hash: the one that was given, or the one that is shown here."""
    here = session()
    gateway = GatewayClient(url, key)
    if seen_hash is None:
        if here.as_json or not sys.stdin.isatty():
            usage(f"Without a person at the terminal, {action} needs --hash: the rows you mean.")
        seen = gateway.get(f"/v1/batches/{batch_id}")
        show_batch(here, seen, language=language)
        seen_hash = str(seen["hash"])
        click.confirm(f"\n{action.capitalize()} these rows ({seen_hash[:12]}…)?", abort=True)
    told = {"hash": seen_hash, **body}
    done = gateway.post(f"/v1/batches/{batch_id}/{action}", told)
    tell(here, f"Done: {action}.", event=action)
    show_batch(here, done, language=language)
    return OK
