"""How many requests a second the emulator answers on one core, with its history on.

The emulator's process is held to one core and the load comes from the other. Beside the rate
stands what a request costs the emulator in CPU time, which other work on the machine disturbs
less.
"""

from __future__ import annotations

import json
import uuid
from dataclasses import dataclass

import httpx2

from benchmarks.contestants import Keys, payment_body
from benchmarks.load import send_all
from benchmarks.servers import Place, cores, cpu_seconds, on_core, process
from benchmarks.tables import Spread, markdown

CONNECTIONS = 16
_PATH = "/collection/v1_0/requesttopay"


@dataclass(frozen=True, slots=True)
class Rate:
    """One kind of request: how many a second, and what one costs the emulator."""

    title: str
    per_second: Spread
    cpu_micros: Spread


def measure(*, requests: int, rounds: int) -> list[Rate]:
    """Measure creating and asking, in rounds against one emulator whose records pile up."""
    caller, server = cores()
    seen: dict[str, list[tuple[float, float]]] = {"POST request to pay": [], "GET its status": []}
    with process("benchmarks.emulated", core=server) as place, on_core(caller):
        headers = _headers(place)
        for _ in range(rounds):
            ids = [str(uuid.uuid4()) for _ in range(requests)]
            posts = [_post(headers, reference_id) for reference_id in ids]
            gets = [_get(headers, reference_id) for reference_id in ids]
            seen["POST request to pay"].append(_lap(place, posts, wanted=b"202"))
            seen["GET its status"].append(_lap(place, gets, wanted=b"200"))
    return [
        Rate(title, Spread.of([lap[0] for lap in laps]), Spread.of([lap[1] for lap in laps]))
        for title, laps in seen.items()
    ]


def table(rates: list[Rate]) -> str:
    """Write the rates as a table."""
    rows = [
        (
            rate.title,
            rate.per_second.text(),
            rate.cpu_micros.text(),
            f"{1e6 / rate.cpu_micros.median:,.0f}",
        )
        for rate in rates
    ]
    heads = ("emulator, one core", "requests/s", "CPU µs a request", "requests a CPU second")
    return markdown(heads, rows)


def _lap(place: Place, requests: list[bytes], *, wanted: bytes) -> tuple[float, float]:
    send_all(place.port, requests[:1], wanted=wanted, connections=1)
    before = cpu_seconds(place.pid)
    rest = requests[1:]
    seconds = send_all(place.port, rest, wanted=wanted, connections=CONNECTIONS)
    return len(rest) / seconds, (cpu_seconds(place.pid) - before) / len(rest) * 1e6


def _headers(place: Place) -> str:
    keys = Keys()
    reply = httpx2.post(
        f"{place.base_url}/collection/token/",
        auth=(keys.api_user, keys.api_key),
        headers={"Ocp-Apim-Subscription-Key": keys.subscription_key},
    )
    return (
        f"Host: 127.0.0.1:{place.port}\r\nAccept: application/json\r\n"
        f"Authorization: Bearer {reply.raise_for_status().json()['access_token']}\r\n"
        f"Ocp-Apim-Subscription-Key: {keys.subscription_key}\r\n"
        "X-Target-Environment: mtnuganda\r\n"
    )


def _post(headers: str, reference_id: str) -> bytes:
    body = json.dumps(payment_body(reference_id))
    return (
        f"POST {_PATH} HTTP/1.1\r\n{headers}X-Reference-Id: {reference_id}\r\n"
        f"Content-Type: application/json\r\nContent-Length: {len(body)}\r\n\r\n{body}"
    ).encode()


def _get(headers: str, reference_id: str) -> bytes:
    return f"GET {_PATH}/{reference_id} HTTP/1.1\r\n{headers}\r\n".encode()
