"""What every command of `momo` has: the options that work everywhere, and examples in its help."""

from __future__ import annotations

import difflib
import os
import sys
from collections.abc import Sequence
from importlib import import_module
from typing import Any, NamedTuple, NoReturn

import click

from momokit._version import __version__
from momokit.cli.exits import INTERRUPTED, OK, UNEXPECTED, USAGE, code_of_error
from momokit.cli.output import LogLines, say_error, tell, write_json
from momokit.cli.session import Session
from momokit.errors import MomoError


def _choose(context: click.Context, parameter: click.Parameter, value: Any) -> None:
    session = context.find_root().ensure_object(Session)
    if value and parameter.name is not None:
        setattr(session, parameter.name, value)
    if parameter.name == "verbose" and session.verbose:
        session.listen_to_log(LogLines(session))


def _everywhere() -> list[click.Parameter]:
    texts = (
        ("--config", "config", "FILE", "Settings from a TOML, JSON or .env file. [MOMO_CONFIG]"),
        ("--market", "market", "NAME", "The market: uganda, ghana, sandbox …. [MOMO_MARKET]"),
        ("--base-url", "base_url", "URL", "Another host: the emulator's, say. [MOMO_BASE_URL]"),
    )
    flags = (
        ("--json", "as_json", "Give the result as one JSON document on stdout."),
        ("--verbose", "verbose", "Show log lines on stderr; they hold no secrets."),
        ("--no-color", "no_color", "No colours. [NO_COLOR]"),
    )
    given: dict[str, Any] = {"expose_value": False, "callback": _choose, "is_eager": True}
    return [
        *(click.Option([o, n], metavar=m, help=h, **given) for o, n, m, h in texts),
        *(click.Option([o, n], is_flag=True, help=h, **given) for o, n, h in flags),
    ]


_EVERYWHERE = frozenset(str(option.name) for option in _everywhere())


def _write_options(
    command: click.Command, context: click.Context, formatter: click.HelpFormatter
) -> None:
    own: list[tuple[str, str]] = []
    shared: list[tuple[str, str]] = []
    for parameter in command.get_params(context):
        record = parameter.get_help_record(context)
        if record is not None:
            (shared if parameter.name in _EVERYWHERE else own).append(record)
    for title, records in (("Options", own), ("Options of every command", shared)):
        if records:
            with formatter.section(title):
                formatter.write_dl(records)


def _write_examples(examples: Sequence[str], formatter: click.HelpFormatter) -> None:
    if examples:
        with formatter.section("Examples"):
            # Written as they are: wrapped, they could not be copied.
            formatter.write("".join(f"  $ {example}\n" for example in examples))


class Command(click.Command):
    """A command with the options that work everywhere and with examples in its help."""

    def __init__(self, *args: Any, examples: Sequence[str] = (), **given: Any) -> None:
        super().__init__(*args, **given)
        self.examples = tuple(examples)
        self.params.extend(_everywhere())

    def format_options(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """Write its own options first, then those of every command."""
        _write_options(self, ctx, formatter)

    def format_epilog(
        self,
        ctx: click.Context,  # noqa: ARG002
        formatter: click.HelpFormatter,
    ) -> None:
        """Write the examples."""
        _write_examples(self.examples, formatter)


class Group(click.Group):
    """A command of commands."""

    command_class = Command

    def __init__(self, *args: Any, examples: Sequence[str] = (), **given: Any) -> None:
        super().__init__(*args, **given)
        self.examples = tuple(examples)

    def resolve_command(
        self, ctx: click.Context, args: list[str]
    ) -> tuple[str | None, click.Command | None, list[str]]:
        """Find a command; after a typing error, say which one was meant."""
        if args and self.get_command(ctx, args[0]) is None and not args[0].startswith("-"):
            close = difflib.get_close_matches(args[0], self.list_commands(ctx), n=1)
            guess = f" Did you mean {close[0]!r}?" if close else ""
            ctx.fail(f"No such command {args[0]!r}.{guess}")
        return super().resolve_command(ctx, args)

    def format_epilog(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """Write the examples, then the epilogue."""
        _write_examples(self.examples, formatter)
        super().format_epilog(ctx, formatter)


class Place(NamedTuple):
    """Where a command is, and what it is for, so that the overview need not load it."""

    module: str
    what: str


class Root(Group):
    """`momo` itself: loads a command only when it runs, and ends with a stable exit code."""

    def __init__(self, *args: Any, places: dict[str, Place], **given: Any) -> None:
        super().__init__(*args, **given)
        self.places = places
        self.params.extend(_everywhere())
        self.params.append(_version_option())

    def list_commands(self, ctx: click.Context) -> list[str]:  # noqa: ARG002
        """List the commands in the order of the table."""
        return list(self.places)

    def get_command(
        self,
        ctx: click.Context,  # noqa: ARG002
        cmd_name: str,
    ) -> click.Command | None:
        """Load one command."""
        place = self.places.get(cmd_name)
        if place is None:
            return None
        module = import_module(f"momokit.cli.{place.module}")
        found: click.Command = getattr(module, cmd_name.replace("-", "_"))
        return found

    def format_options(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """Write the commands first: they are what one looks for."""
        with formatter.section("Commands"):
            formatter.write_dl([(name, place.what) for name, place in self.places.items()])
        _write_options(self, ctx, formatter)

    def main(
        self,
        args: Sequence[str] | None = None,
        prog_name: str | None = None,
        complete_var: str | None = None,
        standalone_mode: bool = True,
        **extra: Any,
    ) -> Any:
        """Run, and exit with one of `EXIT_CODES`; whatever goes wrong is said in one way."""
        words = list(sys.argv[1:] if args is None else args)
        session = extra.setdefault("obj", Session())
        # Read here as well: an error in the arguments comes before they have been read.
        session.as_json = session.as_json or "--json" in words
        try:
            code = super().main(words, prog_name, complete_var, standalone_mode=False, **extra)
        except Exception as error:
            code = _say(session, error)
        finally:
            session.close()
        code = code if isinstance(code, int) else OK
        if standalone_mode:
            sys.exit(code)
        return code


def _say(session: Session, error: Exception) -> int:
    """Say what ended the command; give its exit code."""
    if isinstance(error, MomoError):
        code = code_of_error(error)
        say_error(session, error, exit_code=code)
    elif isinstance(error, click.Abort):
        code = INTERRUPTED
        in_hand = session.in_hand
        text = f"Interrupted. Ask: {in_hand.question}" if in_hand else "Interrupted."
        reference_id = in_hand.reference_id if in_hand else None
        tell(session, text, event="interrupted", reference_id=reference_id, exit_code=code)
    elif isinstance(error, click.ClickException):
        code = USAGE
        if session.as_json:
            told = {"event": "error", "error": type(error).__name__, "exit_code": code}
            write_json({**told, "message": error.format_message(), "retry_is_safe": True}, err=True)
        else:
            error.show()
    else:
        code = UNEXPECTED
        _say_unexpected(session, error)
    return code


def _say_unexpected(session: Session, error: Exception) -> None:
    in_hand = session.in_hand
    name = type(error).__name__
    # Its text could hold anything, a key as well; only its kind is told unasked.
    text = f"Something unexpected went wrong inside momokit ({name})."
    if in_hand is not None:
        text += f" If something was sent, ask: {in_hand.question}"
    facts = {"error": name, "reference_id": in_hand.reference_id if in_hand else None}
    tell(session, text, event="error", **facts, retry_is_safe=in_hand is None, exit_code=UNEXPECTED)
    if os.environ.get("MOMO_TRACEBACK"):
        raise error
    if not session.as_json:
        tell(session, "Set MOMO_TRACEBACK=1 to see where.", event="hint")


def _version_option() -> click.Parameter:
    def show(context: click.Context, _: click.Parameter, value: bool) -> None:
        if value and not context.resilient_parsing:
            if context.find_root().ensure_object(Session).as_json:
                write_json({"version": __version__})
            else:
                click.echo(f"momo {__version__}")
            context.exit()

    return click.Option(
        ["--version"],
        is_flag=True,
        is_eager=True,
        expose_value=False,
        callback=show,
        help="Show the version.",
    )


def usage(message: str) -> NoReturn:
    """Refuse the arguments of the command that is running."""
    raise click.UsageError(message, ctx=click.get_current_context())
