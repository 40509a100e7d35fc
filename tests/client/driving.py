"""Drives operations by hand: no network, no waiting, every effect on record."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from typing import Any

from momokit import Market, Secret
from momokit.operations.exchange import (
    Alone,
    DeadlinePassed,
    Operation,
    Recall,
    Remember,
    Request,
    Response,
    StoredToken,
    Tell,
    TransportFailure,
    Wait,
    Within,
)
from momokit.operations.forms import Forms
from momokit.operations.token import Access
from momokit.retry import RetryBudget, RetryPolicy, StatusPace

Answer = Response | Exception
API_USER = "7c6b1f0e-5f7a-4d0e-9a55-0d7c0f2b7a11"
REFERENCE_ID = "0b5cbd2e-3f3b-4f0e-8f4e-0d2a4c1f9b01"
SUBSCRIPTION_KEY, SECOND_KEY, API_KEY = "subscription-key-1", "subscription-key-2", "api-key-1"


@dataclass
class Clock:
    """A clock that stands still until it is moved."""

    now: float = 1000.0

    def __call__(self) -> float:
        return self.now


def reply(status: int, body: object = None, **headers: str) -> Response:
    """Build an answer: a value becomes JSON, bytes stay as they are, None is empty."""
    raw = body if isinstance(body, bytes) else b"" if body is None else json.dumps(body).encode()
    return Response(status, {name.replace("_", "-"): text for name, text in headers.items()}, raw)


def token_reply(token: str = "token-1", *, life: object = 3600) -> Response:
    """Build the token endpoint's answer."""
    return reply(200, {"access_token": token, "token_type": "access_token", "expires_in": life})


NO_TOKEN_NEEDED = 10.0**9
TIMEOUT = TransportFailure("timeout", sent=True)
NO_CONNECTION = TransportFailure("connect", sent=False)
GATEWAY_401 = reply(401, {"statusCode": 401, "message": "Access denied"})
PAGE = b"<html><body>Sign in to continue</body></html>"


def access_for(
    product: str = "collection",
    *,
    clock: Clock | None = None,
    wall_clock: Clock | None = None,
    keys: tuple[str, ...] = (SUBSCRIPTION_KEY,),
    policy: RetryPolicy | None = None,
    held: str | None = "token-0",
    held_seconds: float = NO_TOKEN_NEEDED,
) -> Access:
    """Give a way in; with a token in hand unless `held` is None."""
    policy = policy or RetryPolicy(budget_reserve=10_000)
    access = Access(
        product=product,
        target_environment="mtnuganda",
        subscription_keys=tuple(map(Secret, keys)),
        api_user=API_USER,
        api_key=Secret(API_KEY),
        policy=policy,
        budget=RetryBudget(policy),
        pace=StatusPace(10_000),
        clock=clock or Clock(),
        wall_clock=wall_clock or Clock(1.7e9),
    )
    if held is not None:
        access.hold(StoredToken(held, access.wall_clock() + held_seconds))
    return access


def forms_for(
    market: str = "uganda", *, ids: Iterable[str] = (REFERENCE_ID,), **given: Any
) -> Forms:
    """Give the rules of a client whose new ids are known beforehand."""
    remaining = iter(ids)
    return Forms(market=Market.get(market), new_id=lambda: next(remaining), **given)


@dataclass
class Drive:
    """What one operation did: its effects in order, and how it ended."""

    effects: list[Any] = field(default_factory=list)
    value: Any = None
    error: BaseException | None = None

    @property
    def requests(self) -> list[Request]:
        """The requests alone."""
        return [effect for effect in self.effects if isinstance(effect, Request)]

    @property
    def waits(self) -> list[tuple[float, float]]:
        """The bounds of all waits."""
        return [
            (effect.low_seconds, effect.high_seconds)
            for effect in self.effects
            if isinstance(effect, Wait)
        ]

    def raised(self, kind: type[Any]) -> Any:
        """Give the error, which must be of exactly this kind."""
        assert type(self.error) is kind, (self.error, self.value)
        return self.error


class Driver:
    """Carries out effects as a transport does, with answers from a function of the request."""

    def __init__(
        self,
        answer: Callable[[Request], Answer],
        *,
        clock: Clock,
        ends_at: float = float("inf"),
        store: Any = None,
    ) -> None:
        self.answer = answer
        self.clock = clock
        self.ends_at = ends_at
        self.store = store
        self.played = Drive()

    def run(self, operation: Operation[Any], ends_at: float) -> Any:
        """Run one operation to its end."""
        value: Any = None
        trouble: Exception | None = None
        while True:
            try:
                effect = operation.send(value) if trouble is None else operation.throw(trouble)
            except StopIteration as stop:
                return stop.value
            value, trouble = None, None
            try:
                value = self.carry_out(effect, ends_at)
            except Exception as error:
                trouble = error

    def carry_out(self, effect: Any, ends_at: float) -> Any:
        """Do what one effect asks for."""
        self.played.effects.append(effect)
        match effect:
            case Request():
                if self.clock.now >= ends_at:
                    raise DeadlinePassed
                answer = self.answer(effect)
                if isinstance(answer, Exception):
                    raise answer
                return answer
            case Wait():
                if self.clock.now + effect.high_seconds >= ends_at:
                    raise DeadlinePassed
                self.clock.now += effect.high_seconds
                return None
            case Alone():
                return self.run(effect.operation(), ends_at)
            case Within():
                return self.run(effect.operation(), min(ends_at, self.clock.now + effect.seconds))
            case Recall():
                return self.store.load(effect.key) if self.store is not None else None
            case Remember():
                return self.store.save(effect.key, effect.token) if self.store else None
            case Tell():
                return effect.listener(effect.news)
        raise AssertionError(effect)


def drive(
    operation: Operation[Any],
    script: Iterable[Answer] | Callable[[Request], Answer],
    *,
    clock: Clock | None = None,
    ends_at: float = float("inf"),
    store: Any = None,
) -> Drive:
    """Play a list of answers and failures to an operation, and record what it does."""
    answer = script if callable(script) else _one_by_one(script)
    driver = Driver(answer, clock=clock or Clock(), ends_at=ends_at, store=store)
    try:
        driver.played.value = driver.run(operation, ends_at)
    except Exception as error:
        driver.played.error = error
    return driver.played


def _one_by_one(script: Iterable[Answer]) -> Callable[[Request], Answer]:
    remaining = iter(script)

    def answer(request: Request) -> Answer:
        found = next(remaining, None)
        assert found is not None, f"one request too many: {request.operation}"
        return found

    return answer
