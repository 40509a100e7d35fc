"""Commands that ask nobody: explain a code, read a number, list the markets."""

from __future__ import annotations

from typing import Any

import click

from momokit.cli.command import Command
from momokit.cli.exits import OK, REFUSED
from momokit.cli.options import language_option
from momokit.cli.output import facts, give, table
from momokit.cli.session import session

_WHO = {
    "payer": "the payer",
    "payee": "the payee",
    "you": "you (the program)",
    "operator": "whoever holds the account with MTN",
    "mtn": "MTN",
}


@click.command(
    cls=Command,
    examples=(
        "momo explain NOT_ENOUGH_FUNDS",
        "momo explain PAYER_NOT_FOUND --lang fr",
        "momo explain EXPIRED --json",
    ),
)
@click.argument("code")
@language_option
def explain(code: str, language: str) -> int:
    """Explain a code of MTN's: what happened, whose move it is, and what may be sent next.

    CODE is an error's code or a failed payment's reason. An unknown one exits with 3.
    """
    from momokit.reasons import reason_of, suggest_codes

    reason = reason_of(code)
    near = () if reason.is_known else suggest_codes(code)
    told: dict[str, Any] = {
        "code": reason.code,
        "known": reason.is_known,
        "kind": reason.kind,
        "who": reason.who,
        "retry": reason.retry.name.lower(),
        "retry_text": str(reason.retry),
        "new_attempt_is_safe": reason.retry.new_attempt_is_safe,
        "what": reason.what.in_language(language),
        "remedy": reason.remedy.in_language(language),
        "payer_message": reason.payer_message.in_language(language),
        "did_you_mean": list(near),
    }
    lines = facts(
        {
            reason.code: told["what"],
            "do": told["remedy"],
            "whose move": _WHO[reason.who],
            "send next": told["retry_text"],
            "tell the payer": told["payer_message"],
            "did you mean": ", ".join(near),
        }
    )
    give(session(), told, *lines)
    return OK if reason.is_known else REFUSED


@click.command(
    cls=Command,
    examples=(
        'momo msisdn "0772 123 456" --market uganda',
        "momo msisdn +2250512345678 --market ivory-coast --json",
    ),
)
@click.argument("number")
def msisdn(number: str) -> int:
    """Read a phone number the way a market does, and show what goes on the wire.

    The country is never changed and no zero that belongs to the number is dropped. The network is a
    guess by prefix: numbers can be ported.
    """
    from momokit.party import MSISDN

    here = session()
    market = here.settings().place if here.market is None else here.market
    read = MSISDN.parse(number, market=market)
    network = read.network_hint() if not read.market.is_sandbox else "unknown"
    told = {
        "msisdn": read.digits,
        "national": read.national,
        "market": read.market.name,
        "country": read.market.country,
        "network_hint": network,
        "masked": read.masked,
    }
    lines = facts(
        {
            "on the wire": read.digits,
            "at home": f"{read.market.trunk_prefix}{read.national}",
            "market": f"{read.market.name} ({read.market.country})",
            "network": {"mtn": "MTN, by its prefix", "other": "not MTN's, by its prefix"}.get(
                network, "not known"
            ),
            "in logs": read.masked,
        }
    )
    give(here, told, *lines)
    return OK


@click.command(cls=Command, examples=("momo markets", "momo markets --json"))
def markets() -> int:
    """List the markets: target environment, currency, calling code and number of digits."""
    from momokit.market import MARKETS

    here = session()
    rows: list[dict[str, Any]] = [
        {
            "market": one.name,
            "country": one.country,
            "target_environment": one.target_environment,
            "currencies": list(one.currencies),
            "decimals": one.exponent,
            "calling_code": one.calling_code,
            "national_digits": list(one.national_lengths),
            "languages": list(one.languages),
            "host": one.base_url,
            "confirmed": one.confirmed,
            "note": one.note,
        }
        for one in MARKETS
    ]
    if here.as_json:
        give(here, rows)
        return OK
    table(
        here,
        ("market", "target environment", "currency", "decimals", "code", "digits", "note"),
        [
            (
                row["market"],
                row["target_environment"],
                " ".join(row["currencies"]),
                str(row["decimals"]),
                f"+{row['calling_code']}" if row["calling_code"] else "any",
                " or ".join(map(str, row["national_digits"])) or "any",
                row["note"],
            )
            for row in rows
        ],
    )
    return OK
