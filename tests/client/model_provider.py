"""A small model of MTN that knows what it has accepted, and a wire that spoils the talk with it."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Sequence
from typing import Literal

from momokit.operations.exchange import Request, Response, TransportFailure
from tests.client.driving import GATEWAY_401, PAGE, Answer, reply, token_reply

# What may happen to one request. Those in DOUBT leave the caller not knowing.
DOUBT = (
    "request lost",
    "request late",
    "reply lost",
    "reply cut",
    "reset before",
    "reset after",
    "too large",
    "page 502 before",
    "page 502 after",
    "page 200 before",
    "page 202 before",
    "empty 200 before",
    "json 200 before",
    "500 unknown before",
    "500 internal after",
    "500 empty after",
    "503 before",
    "503 after",
    "504 after",
    "redirect before",
    "doubled",
)
PLAIN_NO = (
    "400",
    "400 page",
    "403",
    "404",
    "401 empty",
    "401 gateway",
    "500 NOT_ALLOWED",
    "500 NOT_ALLOWED_TARGET_ENVIRONMENT",
    "500 INVALID_CALLBACK_URL_HOST",
    "500 INVALID_CURRENCY",
    "500 PAYER_NOT_FOUND",
)
NOT_PROCESSED = ("429", "connect")
MOODS = ("plain", *DOUBT, *PLAIN_NO, *NOT_PROCESSED)
Truth = Literal["accepted", "nothing"]


class ModelProvider:
    """Accepts a request when it reads it for the first time, and remembers its id for ever."""

    def __init__(self, moods: Sequence[str], *, tokens: Sequence[bool] = ()) -> None:
        self.moods = list(moods)
        self.tokens = list(tokens)
        self.bodies: dict[str, bytes] = {}
        self.acceptances: Counter[str] = Counter()
        self.sent: list[tuple[str, bytes]] = []
        self.late: list[tuple[int, Request]] = []
        self.moods_of_posts: list[str] = []

    def __call__(self, request: Request) -> Answer:
        """Answer one request as the next mood has it."""
        if request.operation == "CreateAccessToken":
            return token_reply() if not self.tokens or self.tokens.pop(0) else reply(503)
        self._let_late_ones_arrive()
        mood = self.moods.pop(0) if self.moods else "plain"
        if request.method == "POST":
            self.moods_of_posts.append(mood)
            self.sent.append((request.headers["X-Reference-Id"], request.body))
        return self._spoilt(request, mood)

    def truth(self, reference_id: str) -> Truth:
        """Tell what became of a reference id once everything on the way has arrived."""
        self._let_late_ones_arrive(all_of_them=True)
        return "accepted" if reference_id in self.bodies else "nothing"

    def _let_late_ones_arrive(self, *, all_of_them: bool = False) -> None:
        waiting, self.late = self.late, []
        for left, request in waiting:
            if left <= 0 or all_of_them:
                self._read(request)
            else:
                self.late.append((left - 1, request))

    def _read(self, request: Request) -> Response:
        if request.method == "GET":
            body = self.bodies.get(request.path.rpartition("/")[2])
            if body is None:
                return reply(404, {"code": "RESOURCE_NOT_FOUND", "message": "not found"})
            return reply(200, {**json.loads(body), "status": "PENDING"})
        reference_id = request.headers["X-Reference-Id"]
        if reference_id in self.bodies:
            return reply(409, {"code": "RESOURCE_ALREADY_EXIST", "message": "duplicate"})
        self.bodies[reference_id] = request.body
        self.acceptances[reference_id] += 1
        return reply(202)

    def _spoilt(self, request: Request, mood: str) -> Answer:
        if mood == "plain":
            return self._read(request)
        if mood == "doubled":  # something in between repeats what it was given
            self._read(request)
            return self._read(request)
        if mood == "request late":
            self.late.append((2, request))
            return TransportFailure("timeout", sent=True)
        if mood.endswith("after") or mood in ("reply lost", "reply cut", "too large"):
            self._read(request)
        return _ANSWERS[mood]


_ANSWERS: dict[str, Answer] = {
    "request lost": TransportFailure("timeout", sent=True),
    "reply lost": TransportFailure("timeout", sent=True),
    "reply cut": TransportFailure("cut", sent=True),
    "reset before": TransportFailure("reset", sent=True),
    "reset after": TransportFailure("reset", sent=True),
    "too large": TransportFailure("too_large", sent=True),
    "page 502 before": reply(502, PAGE),
    "page 502 after": reply(502, PAGE),
    "page 200 before": reply(200, PAGE),
    "page 202 before": reply(202, PAGE),
    "empty 200 before": reply(200),
    "json 200 before": reply(200, {"login": "required"}),
    "500 unknown before": reply(500, {"code": "SOMETHING_NEW"}),
    "500 internal after": reply(500, {"code": "INTERNAL_PROCESSING_ERROR"}),
    "500 empty after": reply(500),
    "503 before": reply(503, {"code": "SERVICE_UNAVAILABLE"}),
    "503 after": reply(503, {"code": "SERVICE_UNAVAILABLE"}),
    "504 after": reply(504),
    "redirect before": reply(302, location="https://elsewhere.example/"),
    "400": reply(400),
    "400 page": reply(400, PAGE),
    "403": reply(403, {"statusCode": 403, "message": "Forbidden"}),
    "404": reply(404, {"statusCode": 404, "message": "Resource not found"}),
    "401 empty": reply(401),
    "401 gateway": GATEWAY_401,
    **{
        f"500 {code}": reply(500, {"code": code, "message": "no"})
        for code in (
            "NOT_ALLOWED",
            "NOT_ALLOWED_TARGET_ENVIRONMENT",
            "INVALID_CALLBACK_URL_HOST",
            "INVALID_CURRENCY",
            "PAYER_NOT_FOUND",
        )
    },
    "429": reply(429, retry_after="1"),
    "connect": TransportFailure("connect", sent=False),
}
