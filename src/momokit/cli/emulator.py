"""`momo emulator`: a local MTN MoMo on a port of this machine, until it is told to stop."""

from __future__ import annotations

import errno
import ipaddress
import signal
import sys
import threading
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from momokit.cli.command import Command
from momokit.cli.exits import OK
from momokit.cli.output import facts, give, tell
from momokit.cli.parts import make_emulator, served
from momokit.cli.session import Session, session
from momokit.errors import ConfigurationError, InvalidInput
from momokit.market import Market

if TYPE_CHECKING:
    from momokit.emulator.engine import Emulator
    from momokit.emulator.serve import Server

PORT = 8701


@click.command(
    cls=Command,
    examples=(
        "momo emulator",
        "momo emulator --walk",
        "momo emulator --market uganda --write emulator.env --phone",
        "momo emulator --port 8800 --state emulator.json --callback-regime retry",
    ),
)
@click.option("--port", type=click.IntRange(0, 65535), default=PORT, show_default=True)
@click.option("--host", default="127.0.0.1", show_default=True, help="Where to listen.")
@click.option("--strict-keys", is_flag=True, help="Accept only the subscription key of --write.")
@click.option(
    "--state",
    "state_file",
    type=click.Path(dir_okay=False),
    default="",
    metavar="FILE",
    help="Keep what happened in this file; in memory alone when left out.",
)
@click.option(
    "--phone/--auto",
    "phone",
    default=None,
    help="Payers decide on the phone page, or ordinary numbers succeed at once (the default).",
)
@click.option(
    "--callback-regime",
    type=click.Choice(["once", "retry"]),
    default="once",
    show_default=True,
    help="Deliver a callback once, or again until it is answered.",
)
@click.option(
    "--write",
    "env_file",
    type=click.Path(dir_okay=False, path_type=Path),
    metavar="FILE",
    help="Make an API user and write settings for --config to this file; replaces it.",
)
@click.option("--walk", is_flag=True, help="Walk a first payment through it.")
@click.option("--open", "open_browser", is_flag=True, help="Open the front page in a browser.")
def emulator(
    port: int,
    host: str,
    env_file: Path | None,
    walk: bool,
    open_browser: bool,
    phone: bool | None,
    **settings: Any,
) -> int:
    """Run a local MTN MoMo: MTN's own paths, errors and callbacks, with a phone page.

    It answers until Ctrl-C. Any subscription key of plausible shape is accepted unless
    --strict-keys is given. With --market it behaves as that country's production does.
    """
    here = session()
    market = Market.get(here.market or "sandbox")
    by_hand = walk if phone is None else phone
    machine = _make(market, approval="phone" if by_hand else "scenario", **settings)
    _warn_if_open(here, host)
    try:
        with _stop_on_signals(), _listening(machine, host=host, port=port) as server:
            if env_file is not None:
                write_settings(machine, market, server.base_url, path=env_file)
            _announce(here, server, market=market, by_hand=by_hand, env_file=env_file)
            if open_browser:
                click.launch(server.base_url)
            if walk:
                from momokit.cli.walk import walk_through

                walk_through(
                    here, server, market=market, by_hand=by_hand, at_terminal=sys.stdin.isatty()
                )
            _until_stopped()
    except KeyboardInterrupt:
        tell(here, "\nThe emulator has stopped.", event="stopped")
    return OK


def write_settings(machine: Emulator, market: Market, base_url: str, *, path: Path) -> None:
    """Make an API user in the emulator and write what a client needs to a private file."""
    from momokit.cli.sandbox import env_lines, write_private
    from momokit.settings import Credentials, Settings

    made = machine.provision()
    credentials = Credentials(
        subscription_key=made.subscription_key, api_user=made.api_user, api_key=made.api_key
    )
    settings = Settings(market=market, base_url=base_url)
    write_private(path, env_lines(settings, credentials, product=None))


def _make(market: Market, **settings: Any) -> Emulator:
    try:
        return make_emulator(market=market.target_environment, **settings)
    except ValueError as error:
        raise InvalidInput(f"The emulator cannot be made: {error}.", field="market") from None


@contextmanager
def _listening(machine: Emulator, *, host: str, port: int) -> Iterator[Server]:
    opened = served(machine, host=host, port=port, pages=True)
    try:
        server = opened.__enter__()
    except OSError as error:
        taken = error.errno == errno.EADDRINUSE
        raise ConfigurationError(
            f"Cannot listen on {host}, port {port}: {'it is taken' if taken else error.strerror}.",
            field="port",
            hint="Give another one with --port, or 0 for a free one.",
        ) from None
    try:
        yield server
    finally:
        opened.__exit__(None, None, None)


def _announce(
    here: Session, server: Server, *, market: Market, by_hand: bool, env_file: Path | None
) -> None:
    base_url = server.base_url
    curl = f"curl -s {base_url}/_emulator/health"
    if market.is_sandbox:
        curl = (
            f"curl -i {base_url}/v1_0/apiuser -H 'Content-Type: application/json'"
            f" -H 'X-Reference-Id: {uuid.uuid4()}'"
            f" -H 'Ocp-Apim-Subscription-Key: {uuid.uuid4().hex}'"
            """ -d '{"providerCallbackHost": "localhost"}'"""
        )
    told = {
        "base_url": base_url,
        "front_page": f"{base_url}/",
        "phone_page": f"{base_url}/phone",
        "control": f"{base_url}/_emulator",
        "market": market.name,
        "target_environment": market.target_environment,
        "approval": "phone" if by_hand else "at once",
        "curl": curl,
        "config": str(env_file) if env_file else None,
    }
    lines = facts(
        {
            "MTN's API": f"{base_url}  ({market.target_environment})",
            "front page": told["front_page"],
            "phone page": f"{base_url}/phone  "
            + ("payers decide here" if by_hand else "(--phone lets payers decide)"),
            "control": told["control"],
            "try": curl,
            "client": f"momo --config {env_file} balance" if env_file else None,
        }
    )
    give(here, told, *lines, "", "Ctrl-C stops it.")
    sys.stdout.flush()


def _warn_if_open(here: Session, host: str) -> None:
    try:
        local = ipaddress.ip_address(host).is_loopback
    except ValueError:
        local = host == "localhost"
    if not local:
        tell(
            here,
            "Careful: whoever reaches this address can steer the emulator and read all it holds.",
            event="warning",
        )


@contextmanager
def _stop_on_signals() -> Iterator[None]:
    numbers = (signal.SIGINT, signal.SIGTERM)

    def stop(_signal: int, _frame: Any) -> None:
        # Stopping takes a moment and is bounded in time; an impatient second Ctrl-C shall not
        # tear it apart.
        for number in numbers:
            signal.signal(number, signal.SIG_IGN)
        raise KeyboardInterrupt

    # Started in the background by a shell, a process inherits "ignore Ctrl-C": undo that.
    former = {number: signal.signal(number, stop) for number in numbers}
    try:
        yield
    finally:
        for number, handler in former.items():
            signal.signal(number, handler)


def _until_stopped() -> None:
    never = threading.Event()
    while not never.wait(1.0):
        pass
