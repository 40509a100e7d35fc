"""Commands for MTN's sandbox (or the emulator): make an API user and key, into a private file."""

from __future__ import annotations

import os
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING

import click

from momokit.cli.command import Group
from momokit.cli.exits import OK
from momokit.cli.output import facts, give, tell
from momokit.cli.session import Session, session
from momokit.errors import InvalidInput, MomoError
from momokit.secret import Secret
from momokit.settings import PRODUCTS, VARIABLES
from momokit.settings_text import read_env_lines

if TYPE_CHECKING:
    from momokit import Credentials, Settings


@click.group(cls=Group)
def sandbox() -> None:
    """Make API users and keys in MTN's sandbox, or in the emulator."""


@sandbox.command(
    examples=(
        "momo sandbox provision --callback-host shop.example --write momo.env",
        "momo sandbox provision --product disbursement --callback-host shop.example"
        " --write momo.env --append",
        "momo --config momo.env balance",
    )
)
@click.option(
    "--subscription-key",
    metavar="KEY",
    help="A product's primary key. Better in MOMO_SUBSCRIPTION_KEY, or typed when asked.",
)
@click.option(
    "--product",
    type=click.Choice(PRODUCTS),
    help="Which product the key belongs to; for all of them when left out.",
)
@click.option(
    "--callback-host",
    required=True,
    metavar="HOST",
    help="A bare host name; every callback URL must be on it. It can never be changed.",
)
@click.option(
    "--write",
    "path",
    type=click.Path(dir_okay=False, path_type=Path),
    required=True,
    metavar="FILE",
    help="The file for the settings, readable by you alone.",
)
@click.option("--append", is_flag=True, help="Add to the file, for one product after another.")
@click.option("--force", is_flag=True, help="Replace what the file has already.")
def provision(
    subscription_key: str | None,
    product: str | None,
    callback_host: str,
    path: Path,
    append: bool,
    force: bool,
) -> int:
    """Make an API user with its key, and write them to a file for --config.

    The key is written to the file alone (mode 600); it is not shown. One token is fetched to see
    that they work.
    """
    here = session()
    settings = here.settings()
    kept = _kept_lines(path, product=product, append=append, force=force)
    key = Secret(subscription_key or _key_at_hand(here, settings, product=product))
    with here.client(settings) as momo:
        made = momo.sandbox.provision(callback_host=callback_host, subscription_key=key)
    write_private(path, {**kept, **env_lines(settings, made, product=product)})
    tell(here, f"Written to {path}, readable by you alone.", event="written")
    works = _try_token(here, settings, made, product=product)
    told = {
        "api_user": made.api_user,
        "product": product,
        "callback_host": callback_host,
        "file": str(path),
        "token_works": works,
    }
    lines = facts(
        {
            "API user": made.api_user,
            "for": product or "all products",
            "callback host": callback_host,
            "token": "works" if works else "does not work yet; see the message above",
            "use it": f"momo --config {path} balance",
        }
    )
    give(here, told, *lines)
    return OK


def env_lines(settings: Settings, made: Credentials, *, product: str | None) -> dict[str, str]:
    """Name the settings as the environment has them."""
    start = f"MOMO_{product.upper()}_" if product else "MOMO_"
    lines = {
        "MOMO_MARKET": settings.place.name,
        f"{start}SUBSCRIPTION_KEY": Secret(made.subscription_key).reveal(),
        f"{start}API_USER": made.api_user,
        f"{start}API_KEY": Secret(made.api_key).reveal(),
    }
    if settings.base_url:
        lines["MOMO_BASE_URL"] = settings.host_url
    return {name: lines[name] for name in VARIABLES if name in lines}


def write_private(path: Path, lines: Mapping[str, str]) -> None:
    """Write lines NAME=value to a file that only its owner can read, whole or not at all."""
    content = "".join(f"{name}={value}\n" for name, value in lines.items())
    draft = path.with_name(f".{path.name}.{os.getpid()}")
    try:
        with os.fdopen(os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w") as file:
            file.write(content)
        draft.replace(path)
    except OSError as error:
        draft.unlink(missing_ok=True)
        raise InvalidInput(f"{path} cannot be written: {error.strerror}.", field="write") from None


def _kept_lines(path: Path, *, product: str | None, append: bool, force: bool) -> dict[str, str]:
    """What stays of the file; refused before anything is made, since a key is shown once."""
    if not path.parent.is_dir():
        raise InvalidInput(f"There is no directory {path.parent}.", field="write")
    if not path.exists() or (force and not append):
        return {}
    if not append:
        raise InvalidInput(
            f"{path} exists already.",
            field="write",
            hint="--append adds to it, --force replaces it; the keys in it would be lost.",
        )
    kept = read_env_lines(path.read_text(encoding="utf-8"))
    name = f"MOMO_{product.upper()}_API_KEY" if product else "MOMO_API_KEY"
    if name in kept and not force:
        raise InvalidInput(
            f"{path} has {name} already.", field="write", hint="--force replaces it."
        )
    return kept


def _key_at_hand(here: Session, settings: Settings, *, product: str | None) -> str:
    own = os.environ.get(f"MOMO_{product.upper()}_SUBSCRIPTION_KEY") if product else None
    known = own or (Secret(settings.subscription_key).reveal() if settings.subscription_key else "")
    if known:
        return known
    if here.as_json:
        raise click.UsageError("Give the subscription key in MOMO_SUBSCRIPTION_KEY.")
    asked: str = click.prompt("Subscription key", hide_input=True, err=True)
    return asked.strip()


def _try_token(
    here: Session, settings: Settings, made: Credentials, *, product: str | None
) -> bool:
    name = product or "collection"
    changes: dict[str, object] = {name: made}
    with here.client(settings.with_changes(**changes)) as momo:
        try:
            getattr(momo, name).token()
        except MomoError as error:
            tell(here, f"{type(error).__name__}: {error}", event="token_failed")
            return False
    return True
