"""`/_emulator`: a test's hands on a running emulator, as JSON over HTTP.

A thin skin: every path is one method of `Emulator`.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Callable
from typing import Any, NamedTuple
from urllib.parse import parse_qsl

import msgspec

from .engine import Emulator, UnknownReference
from .exchange import Reply, Request, json_reply
from .fault_names import FAULTS
from .faults import Fault
from .settings import describe_settings

_PAGE = 100
_PAGE_LIMIT = 1000


class Asked(NamedTuple):
    """What a control request says: its path's last part, its query and its JSON body."""

    rest: str
    query: dict[str, str]
    body: dict[str, Any]


class Control:
    """Answers the control paths of one emulator."""

    def __init__(self, emulator: Emulator) -> None:
        self._emulator = emulator
        self._table: dict[str, Callable[[Asked], Any]] = {
            "GET health": self._health,
            "POST reset": self._reset,
            "GET clock": self._clock,
            "POST clock": self._move_clock,
            "GET settings": self._settings,
            "PATCH settings": self._change_settings,
            "POST provision": self._provision,
            "POST seed": self._seed,
            "GET scenarios": self._scenarios,
            "POST scenarios": self._set_scenario,
            "DELETE scenarios": self._clear_scenarios,
            "GET faults": self._faults,
            "POST faults": self._add_fault,
            "DELETE faults": self._remove_faults,
            "GET history": self._history,
            "GET payments": self._payments,
            "GET approvals": self._approvals,
            "POST decide": self._decide,
            "GET money": self._money,
            "POST forge": self._forge,
            "GET balance": self._balance,
            "GET statement": self._statement,
        }

    def handle(self, request: Request) -> Reply:
        """Answer one control request; a wrong one is told what would be right."""
        name, _, rest = request.path.removeprefix("/_emulator").strip("/").partition("/")
        answer = self._table.get(f"{request.method} {name or 'health'}")
        if answer is None:
            there = ", ".join(sorted(self._table))
            return _wrong(404, f"no {request.method} /_emulator/{name}; there are: {there}")
        try:
            body = msgspec.json.decode(request.body) if request.body.strip() else {}
            if not isinstance(body, dict):
                return _wrong(400, "the body is not a JSON object")
            query = dict(parse_qsl(request.query))
            told = answer(Asked(rest, query, body))
            return told if isinstance(told, Reply) else json_reply(200, msgspec.to_builtins(told))
        except UnknownReference as unknown:
            return _wrong(404, str(unknown))
        except (ValueError, TypeError, KeyError, RecursionError) as wrong:
            return _wrong(400, _say(wrong))

    def _health(self, _asked: Asked) -> Any:
        emulator = self._emulator
        return {
            "status": "ok" if not emulator.crashes else "crashed",
            "market": emulator.settings.market,
            "now": emulator.clock.now(),
            "requests": emulator.state.entries,
            "payments": len(emulator.state.records),
            "crashes": emulator.crashes,
        }

    def _reset(self, asked: Asked) -> Any:
        changes = _known(asked.body, "settings").get("settings", {})
        self._emulator.reset(self._emulator.settings.changed(changes) if changes else None)
        return self._health(asked)

    def _clock(self, _asked: Asked) -> Any:
        clock = self._emulator.clock
        return {"now": clock.now(), "frozen": clock.frozen, "offset_seconds": clock.offset_seconds}

    def _move_clock(self, asked: Asked) -> Any:
        body = _known(asked.body, "freeze", "at", "advance_seconds", "offset_seconds")
        clock = self._emulator.clock
        if body.get("freeze") is True:
            clock.freeze(at=_number(body, "at") if "at" in body else None)
        elif body.get("freeze") is False:
            clock.resume()
        if "offset_seconds" in body:
            clock.set_offset(seconds=_number(body, "offset_seconds"))
        if "advance_seconds" in body:
            clock.advance(seconds=_number(body, "advance_seconds"))
        return self._clock(asked)

    def _settings(self, _asked: Asked) -> Any:
        values = dataclasses.asdict(self._emulator.settings)
        return {
            name: {"value": values[name], "type": kind, "default": default, "what": what}
            for name, kind, default, what in describe_settings()
        }

    def _change_settings(self, asked: Asked) -> Any:
        self._emulator.change_settings(**asked.body)
        return self._settings(asked)

    def _provision(self, asked: Asked) -> Any:
        body = _known(asked.body, "product", "callback_host")
        return self._emulator.provision(
            body.get("product"), callback_host=body.get("callback_host", "localhost")
        )

    def _seed(self, asked: Asked) -> Any:
        body = _known(
            asked.body, "user_id", "api_key", "callback_host", "product", "subscription_keys"
        )
        keys = tuple(str(key) for key in body.pop("subscription_keys", ()))
        self._emulator.seed(subscription_keys=keys, **{k: str(v) for k, v in body.items()})
        return {"seeded": body["user_id"]}

    def _scenarios(self, _asked: Asked) -> Any:
        return list(self._emulator.scenarios)

    def _set_scenario(self, asked: Asked) -> Any:
        return self._emulator.scenarios.set(**asked.body)

    def _clear_scenarios(self, _asked: Asked) -> Any:
        self._emulator.scenarios.clear()
        return []

    def _faults(self, _asked: Asked) -> Any:
        known = {
            name: {"what": fault.what, "parameters": fault.parameters}
            for name, fault in FAULTS.items()
        }
        return {"on": [_shown(fault) for fault in self._emulator.faults], "known": known}

    def _add_fault(self, asked: Asked) -> Any:
        body = dict(asked.body)
        if "steps" in body:
            return _shown(self._emulator.faults.script(body.pop("steps"), **body))
        parameters = body.pop("parameters", {})
        return _shown(self._emulator.faults.add(body.pop("name"), **body, **parameters))

    def _remove_faults(self, asked: Asked) -> Any:
        if not asked.rest:
            self._emulator.faults.clear()
        elif not self._emulator.faults.remove(int(asked.rest)):
            raise ValueError(f"no fault has the number {asked.rest}")
        return [_shown(fault) for fault in self._emulator.faults]

    def _history(self, asked: Asked) -> Any:
        wanted = _known(
            asked.query, "direction", "operation", "product", "reference_id", "after", "limit"
        )
        limit = min(int(wanted.pop("limit", _PAGE)), _PAGE_LIMIT)
        after = int(wanted.pop("after", 0))
        entries = [
            entry
            for entry in self._emulator.history
            if entry.number > after and all(getattr(entry, k) == v for k, v in wanted.items())
        ]
        page = entries[:limit]
        more = page[-1].number if len(entries) > limit and page else None
        return {"entries": page, "next_after": more}

    def _payments(self, asked: Asked) -> Any:
        if asked.rest:
            return self._emulator.payment(asked.rest)
        wanted = _known(asked.query, "status", "kind", "product", "external_id", "offset", "limit")
        limit = min(int(wanted.pop("limit", _PAGE)), _PAGE_LIMIT)
        offset = max(int(wanted.pop("offset", 0)), 0)
        payments = self._emulator.payments(**wanted)
        return {"total": len(payments), "payments": payments[offset : offset + limit]}

    def _approvals(self, _asked: Asked) -> Any:
        return self._emulator.pending_approvals()

    def _decide(self, asked: Asked) -> Any:
        decision = _known(asked.body, "decision").get("decision", "")
        return self._emulator.decide(asked.rest, decision)

    def _money(self, asked: Asked) -> Any:
        return self._emulator.money_moved(asked.rest)

    def _forge(self, asked: Asked) -> Any:
        self._emulator.forge(asked.rest, **_known(asked.body, "status", "amount"))
        return {"forged": asked.rest}

    def _statement(self, asked: Asked) -> Any:
        wanted = _known(asked.query, "currency").get("currency", "")
        text = self._emulator.statement(wanted)
        return Reply(200, (("content-type", "text/csv; charset=utf-8"),), text.encode())

    def _balance(self, _asked: Asked) -> Any:
        balances = self._emulator.state.balances
        return {currency: f"{held:f}" for currency, held in balances.items()}


def _known(given: dict[str, Any], *names: str) -> dict[str, Any]:
    for name in given:
        if name not in names:
            raise ValueError(f"unknown field {name!r}; there are {', '.join(names)}")
    return dict(given)


def _number(body: dict[str, Any], name: str) -> float:
    value = body[name]
    if isinstance(value, bool) or not isinstance(value, int | float):
        raise ValueError(f"{name} is a number of seconds")
    return float(value)


def _shown(fault: Fault) -> dict[str, Any]:
    shown = msgspec.to_builtins(fault)
    return {k: v for k, v in shown.items() if v not in ("", None) and k != "window"}


def _say(wrong: Exception) -> str:
    if isinstance(wrong, KeyError):
        return f"{wrong.args[0]!r} is missing"
    return str(wrong)


def _wrong(status: int, words: str) -> Reply:
    return json_reply(status, {"error": words})
