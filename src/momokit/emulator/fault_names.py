"""Every fault the emulator can show: its name, its parameters, and where it takes hold."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, NamedTuple

# Kinds of operations a fault takes hold of when the caller names none.
ANY = frozenset({"token", "create", "status", "account", "change", "provisioning"})
WALLET = ANY - {"token", "provisioning"}
CREATE = frozenset({"create"})
STATUS = frozenset({"status"})
TOKEN = frozenset({"token"})


class FaultName(NamedTuple):
    """What one fault does, for the reference page and for checking what a caller asks."""

    what: str
    parameters: Mapping[str, Any]
    kinds: frozenset[str] = ANY


FAULTS: Mapping[str, FaultName] = {
    "drop_request": FaultName(
        "The request is lost: nothing is processed and no answer comes. `how`: close, reset, hang.",
        {"how": "close"},
    ),
    "drop_response": FaultName(
        "The request is processed and its answer is lost. `how`: close, reset or hang.",
        {"how": "close"},
    ),
    "delay": FaultName(
        "The answer comes late, by a time between `seconds` and `seconds + spread`.",
        {"seconds": 1.0, "spread": 0.0},
    ),
    "reset": FaultName(
        "The connection is reset. `stage`: before (nothing processed), after (processed, no "
        "answer), headers (in the answer's head) or body (half-way in its body).",
        {"stage": "after"},
    ),
    "truncate": FaultName(
        "Only `n` bytes of the body arrive, of the head when the answer has no body.", {"n": 10}
    ),
    "slowloris": FaultName(
        "The answer drips, `n` bytes every `seconds`.", {"n": 1, "seconds": 0.05}
    ),
    "html_error": FaultName(
        "An HTML page instead of JSON. `processed`: whether the request took effect.",
        {"code": 502, "processed": False},
    ),
    "bad_json": FaultName(
        "The body is cut in the middle though it claims to be whole; the request took effect.", {}
    ),
    "status": FaultName(
        "An answer with this status and, in the wallet's dialect, this code (empty: no body).",
        {"code": 503, "body_code": "SERVICE_UNAVAILABLE", "processed": False},
    ),
    "lag_404": FaultName(
        "An accepted payment is not found during its first `seconds`.", {"seconds": 5.0}, CREATE
    ),
    "silent_reject": FaultName(
        "The request is answered 202 and then forgotten: its status stays 404.", {}, CREATE
    ),
    "stuck_pending": FaultName("The payment stays PENDING for ever.", {}, CREATE),
    "flip_final": FaultName(
        "A settled payment's status is answered with the opposite outcome.", {}, STATUS
    ),
    "wrong_amount": FaultName(
        "The status answers another amount (one more, unless `amount` is given).",
        {"amount": ""},
        STATUS,
    ),
    "swap_bodies": FaultName(
        "The status answers with the body of another payment of the same kind.", {}, STATUS
    ),
    "no_callback": FaultName("No callback is sent.", {}, CREATE),
    "callback_before_202": FaultName(
        "The payment settles at once and its callback arrives before the 202 does.", {}, CREATE
    ),
    "dup_callback": FaultName("The callback comes `n` times.", {"n": 2}, CREATE),
    "reorder": FaultName("A callback that says PENDING follows the final one.", {}, CREATE),
    "late_callback": FaultName("The callback comes `hours` late.", {"hours": 1.0}, CREATE),
    "forge": FaultName(
        "Somebody else posts a callback with this status and amount, before the true one.",
        {"status": "SUCCESSFUL", "amount": ""},
        CREATE,
    ),
    "block_state": FaultName(
        "The callback address counts as blocked: the first attempt is an hour late, then hourly.",
        {},
        CREATE,
    ),
    "once_only": FaultName("This callback is attempted once, whatever the regime.", {}, CREATE),
    "put_instead_of_post": FaultName("This callback comes with the other verb.", {}, CREATE),
    "token_ttl": FaultName(
        "Tokens issued live `seconds` and say so in expires_in.", {"seconds": 3}, TOKEN
    ),
    "token_revoke": FaultName("The token that comes with the request is revoked: 401.", {}, WALLET),
    "token_5xx": FaultName("The token endpoint fails with this status.", {"code": 503}, TOKEN),
    "401_random": FaultName(
        "A good token is answered 401; one request in ten unless a trigger is given.", {}, WALLET
    ),
    "403_ip": FaultName(
        "The gateway refuses the caller's address before the body is read.", {}, CREATE
    ),
    "429": FaultName(
        "The gateway refuses requests above `per_second`, counted by the emulator's clock.",
        {"per_second": 10},
        WALLET,
    ),
    "low_balance": FaultName(
        "The wallet holds only `amount`, whatever it held.",
        {"amount": "0"},
        frozenset({"create", "account"}),
    ),
    "maintenance_window": FaultName(
        "Everything answers 503 with an HTML page until `seconds` have passed.",
        {"seconds": 21600.0},
    ),
    "clock_offset": FaultName(
        "The answer's Date header is off by `seconds`.", {"seconds": 86400.0}
    ),
    "first_409": FaultName(
        "A new reference id is answered 409 although nothing is known of it.", {}, CREATE
    ),
}


class UnknownFault(ValueError):
    """A fault or a parameter that does not exist; the text lists the valid ones."""


def check_fault(name: str, parameters: Mapping[str, Any]) -> dict[str, Any]:
    """Give a fault's parameters completed with their defaults.

    Raises UnknownFault when the name, a parameter or a value's type is not one there is.
    """
    spec = FAULTS.get(name)
    if spec is None:
        raise UnknownFault(f"unknown fault {name!r}; there are {', '.join(FAULTS)}")
    complete = dict(spec.parameters)
    for key, value in parameters.items():
        if key not in complete:
            valid = ", ".join(complete) or "none"
            raise UnknownFault(f"unknown parameter {key!r} of {name}; there are: {valid}")
        complete[key] = _fitting(name, key, value, complete[key])
    if name == "reset" and complete["stage"] not in ("before", "after", "headers", "body"):
        raise UnknownFault("reset: stage is one of before, after, headers, body")
    if complete.get("how", "close") not in ("close", "reset", "hang"):
        raise UnknownFault(f"{name}: how is one of close, reset, hang")
    return complete


def _fitting(name: str, key: str, value: Any, default: Any) -> Any:
    wanted = type(default)
    if wanted is str:
        return str(value)
    if wanted is bool and isinstance(value, bool):
        return value
    number = isinstance(value, int | float) and not isinstance(value, bool)
    if wanted in (int, float) and number and value == value and abs(value) < 1e10:
        if value < 0 and name != "clock_offset":
            raise UnknownFault(f"{name}: {key} cannot be negative")
        if key == "code" and not 200 <= value <= 599:
            raise UnknownFault(f"{name}: code is an HTTP status from 200 to 599")
        return wanted(value)
    raise UnknownFault(f"{name}: {key} is of type {wanted.__name__}, not {value!r}")


def parse_faults(text: str) -> list[tuple[str, dict[str, Any]]]:
    """Read faults as written in a header: `delay(2); truncate(n=5)`.

    Raises UnknownFault when the text cannot be read.
    """
    found: list[tuple[str, dict[str, Any]]] = []
    for part in filter(None, (piece.strip() for piece in text.split(";"))):
        name, opened, rest = part.partition("(")
        name = name.strip()
        if name not in FAULTS:
            check_fault(name, {})
        if opened and not rest.endswith(")"):
            raise UnknownFault(f"cannot read {part!r}; write it as name(arguments)")
        order = list(FAULTS[name].parameters)
        arguments: dict[str, Any] = {}
        words = [w.strip() for w in rest[:-1].split(",")] if opened and rest[:-1].strip() else []
        for position, word in enumerate(words):
            key, equals, value = word.partition("=")
            if not equals and position >= len(order):
                raise UnknownFault(f"{name} takes at most {len(order)} arguments")
            arguments[key.strip() if equals else order[position]] = _value(value if equals else key)
        found.append((name, check_fault(name, arguments)))
    return found


def _value(word: str) -> Any:
    word = word.strip().strip("\"'")
    if word.lower() in ("true", "false"):
        return word.lower() == "true"
    for kind in (int, float):
        try:
            return kind(word)
        except ValueError:
            continue
    return word
