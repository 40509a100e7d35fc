"""The emulator's memory on paper: the masked history, and the state file between two runs."""

from __future__ import annotations

import os
import tempfile
from decimal import Decimal
from pathlib import Path

import msgspec

from .exchange import Reply, Request
from .gate import Answered
from .records import FINAL, Consent, HistoryEntry, Movement, Record, Token, User
from .scenarios import Scenario
from .state import State

_SECRET_HEADERS = frozenset({"authorization", "ocp-apim-subscription-key", "cookie"})
_SECRET_OPERATIONS = frozenset(
    {"CreateAccessToken", "CreateOauth2Token", "post-v1_0-apiuser-apikey"}
)
_BODY_LIMIT = 4096


def mask(value: str) -> str:
    """Hide a secret but for what tells two of them apart."""
    word, space, secret = value.rpartition(" ")
    return f"{word}{space}…{secret[-4:]}" if len(secret) >= 16 else f"{word}{space}…"


def record_request(state: State, request: Request, *, answered: Answered) -> None:
    """Write a request and its answer into the history, without the secrets in them."""
    state.entries += 1
    reply = answered.reply
    secret = answered.operation in _SECRET_OPERATIONS
    state.history.append(
        HistoryEntry(
            number=state.entries,
            at=state.clock.now(),
            direction="request",
            method=request.method,
            path=request.path[:1024],
            operation=answered.operation,
            product=answered.product,
            reference_id=answered.reference_id[:64],
            status=reply.status,
            faults=answered.faults,
            headers={
                name: mask(value) if name in _SECRET_HEADERS else value[:1024]
                for name, value in request.headers.items()
            },
            body="" if secret else _text(request.body),
            reply_body="(secret)" if secret and reply.status < 300 else _text(reply.body),
            note=answered.note or _what_went_wrong(reply),
        )
    )


def _what_went_wrong(reply: Reply) -> str:
    if reply.cut:
        return f"connection ended without an answer ({reply.cut})"
    if reply.truncate_after_bytes is not None:
        return "answer cut short"
    return ""


def _text(content: bytes) -> str:
    return content[:_BODY_LIMIT].decode("utf-8", "replace") if content else ""


class Saved(msgspec.Struct, kw_only=True):
    """What a state file holds: everything but the history, the faults and open deliveries."""

    version: int = 1
    market: str
    numbers: int
    users: list[User]
    keys: dict[str, list[str]]
    tokens: list[Token]
    consents: list[Consent]
    records: list[Record]
    movements: dict[str, list[Movement]]
    balances: dict[str, str]
    mandates: dict[str, list[str]]
    refunds: dict[str, list[str]]
    scenarios: list[Scenario]


def save(state: State, *, path: Path) -> None:
    """Write the state file; it is replaced whole or not at all."""
    saved = Saved(
        market=state.settings.market,
        numbers=state.numbers,
        users=list(state.users.values()),
        keys={product: sorted(keys) for product, keys in state.keys.items()},
        tokens=list(state.tokens.values()),
        consents=list(state.consents.values()),
        records=list(state.records.values()),
        movements=state.movements,
        balances={currency: str(held) for currency, held in state.balances.items()},
        mandates=state.mandates,
        refunds=state.refunds,
        scenarios=list(state.scenarios),
    )
    path.parent.mkdir(parents=True, exist_ok=True)
    handle, name = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}.")
    with os.fdopen(handle, "wb") as file:
        file.write(msgspec.json.encode(saved))
        file.flush()
        os.fsync(file.fileno())
    os.replace(name, path)


def load(state: State, *, path: Path) -> None:
    """Take over a state file that an earlier run wrote.

    Raises ValueError when the file is not one, or is of another market.
    """
    try:
        saved = msgspec.json.decode(path.read_bytes(), type=Saved)
    except msgspec.DecodeError as broken:
        raise ValueError(f"{path} is not an emulator's state file: {broken}") from broken
    if saved.market != state.settings.market:
        raise ValueError(f"{path} is of market {saved.market}, not {state.settings.market}")
    state.numbers = saved.numbers
    # Chance must not repeat itself, or new tokens and numbers would equal the earlier run's.
    state.chance.seed(f"{state.settings.seed}/{saved.numbers}/{len(saved.records)}")
    state.users.update({user.user_id: user for user in saved.users})
    for product, keys in saved.keys.items():
        state.add_keys(product, *keys)
    state.tokens = {token.value: token for token in saved.tokens}
    state.consents = {consent.auth_req_id: consent for consent in saved.consents}
    for record in saved.records:
        state.add_record(record)
        _remember(state, record)
    state.movements = saved.movements
    state.balances = {currency: Decimal(held) for currency, held in saved.balances.items()}
    state.mandates, state.refunds = saved.mandates, saved.refunds
    state.scenarios.restore(saved.scenarios)


def _remember(state: State, record: Record) -> None:
    """Put what a record still waits for back on the agenda."""
    if record.status in FINAL:
        return
    if record.decide_by is not None:
        state.schedule(at=record.decide_by, action="expire", key=record.key)
    if record.plan.after_seconds:
        due = record.created_at + record.plan.after_seconds
        state.schedule(at=due, action="settle", key=record.key)
