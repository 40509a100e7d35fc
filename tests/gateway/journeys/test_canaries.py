"""Secrets and numbers of people, sent through everything there is, and looked for everywhere.

Each canary is looked for as it is, in hex and in base64, in every log line of every library, in the
metrics, in all answers, in what values show of themselves, and in every byte of the database.
"""

from __future__ import annotations

import json
import logging
from base64 import b64encode
from collections.abc import Iterator, Sequence
from io import StringIO
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import httpx2
import pytest
from sqlalchemy import MetaData, create_engine, make_url, select

from momokit.gateway.log import configure
from momokit.secret import Secret
from tests.gateway.journeys.whole import Whole, whole

pytestmark = pytest.mark.anyio

NUMBERS = [f"467331{digits}" for digits in ("98761", "98762", "98763", "98764", "98765")]
NAME, MAIL = "Canarienne", "canarienne@example.com"
NOTES = ("metadata", "name", "payer_name")
"""What merchants wrote down themselves, and read again as they wrote it."""
PULLS, PUSHES = ("request_to_pay", "withdraw"), ("transfer", "deposit")
FAULTS: list[tuple[str, dict[str, Any]]] = [
    ("drop_response", {"how": "close"}),
    ("html_error", {"code": 502, "processed": True}),
    ("bad_json", {}),
    ("status", {"code": 500, "body_code": f"NOBODY_HAS {NUMBERS[4]}", "processed": False}),
    ("status", {"code": 400, "body_code": f"PAYER {NUMBERS[4]} UNKNOWN", "processed": False}),
]


@pytest.fixture
def logged() -> Iterator[StringIO]:
    """Give all that is logged: every library at its most talkative, as the gateway writes it."""
    root = logging.getLogger()
    before = (root.handlers, root.level)
    levels = {name: logging.getLogger(name).level for name in list(root.manager.loggerDict)}
    stream = StringIO()
    configure(level="debug", stream=stream)
    for name in levels:
        logging.getLogger(name).setLevel(logging.NOTSET)
    # What the emulator logs is not ours to answer for.
    logging.getLogger("momokit.emulator").setLevel(logging.CRITICAL)
    yield stream
    root.handlers, root.level = before[0], before[1]
    for name, level in levels.items():
        logging.getLogger(name).setLevel(level)


@pytest.fixture
def said() -> Iterator[list[str]]:
    """Give what our own modules log before any mask: the first net holds without the second."""
    lines: list[str] = []

    class Keeper(logging.Handler):
        """Keeps each line, and all that was given beside it."""

        def emit(self, record: logging.LogRecord) -> None:
            """Keep a line."""
            lines.append(f"{record.getMessage()} {record.__dict__!r}")

    keeper = Keeper(level=logging.DEBUG)
    loggers = [logging.getLogger(name) for name in ("momokit.gateway", "momokit.transport")]
    for one in loggers:
        one.addHandler(keeper)
    yield lines
    for one in loggers:
        one.removeHandler(keeper)


def forms(canary: str) -> list[bytes]:
    """Give the ways in which a canary may lie about: plain, hex, and base64 at each offset."""
    plain = canary.encode()
    found = [plain, plain.hex().encode(), plain.hex().upper().encode()]
    for offset in range(3):
        whole_of_it = b64encode(b"\0" * offset + plain)
        # The letters at either end depend on what stands beside it.
        found.append(whole_of_it[4 if offset else 0 : len(whole_of_it) // 4 * 4 - 4])
    return found


def found_in(place: bytes, canaries: dict[str, str]) -> list[str]:
    """Name the canaries that are in a place, in whatever form."""
    return [name for name, text in canaries.items() if any(one in place for one in forms(text))]


async def go_everywhere(gateway: Whole) -> tuple[list[httpx2.Response], list[str]]:
    """Send canaries through every kind, refusal, fault, callback and odd place; give answers."""
    answers: list[httpx2.Response] = []

    async def post(path: str, body: Any, **more: Any) -> httpx2.Response:
        answer = await gateway.post(path, body, **more)
        answers.append(answer)
        return answer

    account = (await gateway.account()).id
    for kind in (*PULLS, *PUSHES):
        body = {
            "kind": kind,
            "amount": "5",
            "party": NUMBERS[0 if kind in PULLS else 1],
            "payer_message": f"for {NAME}",
            "payee_note": NUMBERS[2],
            "metadata": {"customer": NAME, "phone": NUMBERS[2], NUMBERS[3]: "a key"},
        }
        await post("/v1/payments", body, key=f"order-{kind}-{NUMBERS[3]}")
        await post("/v1/payments", body, key=f"order-{kind}-{NUMBERS[3]}")
        await post("/v1/payments", body | {"amount": "6"}, key=f"order-{kind}-{NUMBERS[3]}")
        await post("/v1/payments", body)
    await post(
        "/v1/payments",
        {"kind": "transfer", "amount": "7", "party": {"type": "EMAIL", "id": MAIL}},
    )
    await post("/v1/pre-approvals", {"party": NUMBERS[0], "payer_message": NAME})
    await post("/api/pay", {"amount": "9", "phone": NUMBERS[0], "order": "o-1"})
    await post(f"/v1/accounts/{account}/holders/check", {"party": NUMBERS[2]})
    sender = {"first_name": NAME, "msisdn": NUMBERS[2]}
    cash = {"originating_country": "UG", "original_amount": "5", "original_currency": "UGX"}
    await post(
        "/v1/payments",
        {
            "kind": "cash_transfer",
            "amount": "5",
            "party": NUMBERS[1],
            "cash_transfer": cash | {"sender": sender},
        },
    )
    for index, (name, parameters) in enumerate(FAULTS):
        gateway.emulator.faults.add(name, identifier=NUMBERS[4], times=1, **parameters)
        body = {"kind": "request_to_pay", "amount": str(20 + index), "party": NUMBERS[4]}
        await post("/v1/payments", body)
        await gateway.until_quiet(horizon_seconds=60.0)
    answers += await _odd_places(gateway, account)
    tokens = await _call_back(gateway, answers)
    await gateway.until_quiet(horizon_seconds=600.0)
    answers += await _workflows(gateway)
    made = [one.id for one in await gateway.all() if one.payment.kind == "request_to_pay"]
    await post(f"/v1/payments/{made[-1]}/refunds", {"amount": "1", "payee_note": NAME})
    await post(f"/v1/payments/{made[-1]}/refunds", {"amount": "99999", "payer_message": NAME})
    await gateway.until_quiet(horizon_seconds=600.0)
    for one in await gateway.all():
        for path in ("", "/timeline"):
            answers.append(await gateway.http.get(f"/v1/payments/{one.id}{path}"))
    for path in ("/v1/payments", "/v1/webhook-deliveries", "/v1/accounts", "/v1/webhook-endpoints"):
        answers.append(await gateway.http.get(path))
    return answers, tokens


async def _workflows(gateway: Whole) -> list[httpx2.Response]:
    """Send canaries through a batch, a checkout's page, an invoice and a statement."""
    http, found = gateway.http, []
    file = f"Phone,Amount,Name,Reference\n{NUMBERS[1]},5,{NAME},R1\n{NAME},x,{MAIL},-\n"
    found.append(
        await http.post(
            "/v1/batches?filename=pay.csv&label=pay",
            content=file.encode(),
            headers={"Content-Type": "text/csv", "Idempotency-Key": f"batch-{NUMBERS[3]}"},
        )
    )
    assert found[-1].status_code in (200, 201, 202), found[-1].text
    batch = f"/v1/batches/{found[-1].json()['id']}"
    await gateway.until_quiet(horizon_seconds=60.0)
    found += [await http.get(batch + path) for path in ("", "/rows", "/history")]
    for path, body in (
        ("/v1/checkouts", {"amount": "5"}),
        ("/v1/invoices", {"amount": "5", "payer": {"name": NAME, "phone": NUMBERS[0]}}),
    ):
        made = await gateway.post(path, body)
        found.append(made)
        assert made.status_code in (200, 201, 202), made.text
        found.append(await http.get(f"{path}/{made.json()['id']}"))
    lines = gateway.emulator.statement().encode()
    odd = f"\n{NUMBERS[4]},{NAME},{MAIL}\n".encode()
    sent = "/v1/statements?filename=s.csv"
    found += [await http.post(sent, content=one) for one in (lines, lines + odd, odd)]
    seen = ("/v1/statements", "/v1/discrepancies", "/v1/reconciliation/export/journal")
    return found + [await http.get(path) for path in seen]


async def _odd_places(gateway: Whole, account: str) -> Sequence[httpx2.Response]:
    number, http = NUMBERS[3], gateway.http
    plain = {"kind": "request_to_pay", "amount": "5", "party": NUMBERS[0]}
    bodies: list[Any] = [
        plain | {number: "x"},
        plain | {"party": {"type": number, "id": number}},
        plain | {"party": {"type": "MSISDN", "id": number, number: number}},
        plain | {"kind": number},
        plain | {"amount": number + "x"},
        plain | {"account": number},
        plain | {"currency": number},
        plain | {"metadata": {number: 5}},
        plain | {"original_payment_id": number},
        plain | {"product": number},
        plain | {"allow_duplicate": number},
        plain | {"party": "+" + number * 3},
        [number],
        number,
    ]
    found = [await gateway.post("/v1/payments", body) for body in bodies]
    found.append(await http.post("/v1/payments", content=f'{{"party": {number}'))
    for path in (
        f"/v1/payments?{number}=1",
        f"/v1/payments?kind={number}&state={number}",
        f"/v1/payments?cursor={number}&limit={number}&created_from={number}",
        f"/v1/payments?account={number}",
        f"/v1/payments/{number}",
        f"/{number}",
        f"/cb/{number}",
        f"/v1/accounts/{number}/balance",
        f"/v1/accounts/{account}/balance?product={number}",
        f"/v1/webhook-endpoints/{number}",
        f"/v1/webhook-deliveries?payment_id={number}",
        f"/api/payment/{number}?wait={number}",
    ):
        found.append(await http.get(path))
        found.append(await http.delete(path))
    for name in ("X-Request-Id", "Idempotency-Key", "Authorization", "Accept-Language", number):
        found.append(
            await http.post("/v1/payments", json=plain, headers={name: f"{number} {number}"})
        )
        found.append(await http.post("/v1/payments", json={}, headers={name: number}))
    return found


async def _call_back(gateway: Whole, answers: list[httpx2.Response]) -> list[str]:
    """Call back with canaries on every payment's own path; give the secrets of the paths."""
    tokens = []
    for one in await gateway.all():
        url = one.request.headers.get("X-Callback-Url", "")
        path = urlsplit(url).path
        tokens.append(path.rpartition("/")[2])
        body = {"status": "FAILED", "reason": NUMBERS[2], "payer": {"partyId": NUMBERS[2]}}
        answers.append(await gateway.http.put(path, content=f"{NAME} {NUMBERS[2]}".encode()))
        answers.append(await gateway.http.put(path, content=NUMBERS[2].encode()))
        answers.append(await gateway.http.post(path, json=body))
    return [token for token in tokens if token]


def _told(answer: httpx2.Response) -> str:
    """Write down an answer, but for the notes of a merchant, who gets them back as they were."""
    headers = repr(answer.headers.multi_items())
    try:
        return headers + json.dumps(_without_notes(answer.json()))
    except ValueError:
        return headers + answer.text


def _without_notes(told: Any) -> Any:
    if isinstance(told, dict):
        return {name: _without_notes(one) for name, one in told.items() if name not in NOTES}
    return [_without_notes(one) for one in told] if isinstance(told, list) else told


async def _secrets_of(gateway: Whole) -> dict[str, str]:
    """Give all the secrets that a gateway works with, one made for the purpose."""
    made = await gateway.http.post(
        "/v1/webhook-endpoints", json={"url": "http://127.0.0.1:9/hook", "events": []}
    )
    assert made.status_code == 201, made.text
    keys = gateway.gateway.book.settings_of((await gateway.account()).id).collection
    assert keys is not None
    return {
        "subscription key": Secret(keys.subscription_key).reveal(),
        "API user": Secret(keys.api_user).reveal(),
        "API key of MTN": Secret(keys.api_key).reveal(),
        "API key of ours": str(gateway.http.headers["authorization"]).partition(" ")[2],
        "webhook secret": made.json()["secret"].partition("_")[2],
    }


async def _shown(gateway: Whole) -> str:
    """Write down what values and tools show of themselves."""
    one = gateway.gateway
    stories = [await one.store.timeline(payment.id) for payment in await gateway.all()]
    account = await gateway.account()
    values: list[Any] = [
        stories, account, one.settings, one.store, one.book, one.provider,
        one.provider.client(account.id), one.book.settings_of(account.id), one.metrics, one.worker,
    ]  # fmt: skip
    return repr(values) + "".join(str(value) for value in values)


def _bytes_of(url: str) -> bytes:
    """Give every byte of a database: the files themselves, or all rows of all tables."""
    if url.startswith("sqlite"):
        place = Path(make_url(url).database or "")
        return b"".join(path.read_bytes() for path in sorted(place.parent.glob(f"{place.name}*")))
    engine = create_engine(url)
    parts: list[bytes] = []
    tables = MetaData()
    tables.reflect(engine)
    with engine.connect() as connection:
        for table in tables.sorted_tables:
            for row in connection.execute(select(table)):
                parts += [
                    bytes(value) if isinstance(value, bytes | memoryview) else str(value).encode()
                    for value in row
                ]
    engine.dispose()
    return b"\n".join(parts)


async def test_no_canary_is_anywhere(url: str, logged: StringIO, said: list[str]) -> None:
    """Of all secrets, numbers and names that went in, none is to be found afterwards."""
    async with whole(url, callbacks_on=True, deadline_seconds=1.0) as gateway:
        secrets = await _secrets_of(gateway)
        answers, tokens = await go_everywhere(gateway)
        places = {
            "answers": "\n".join(_told(one) for one in answers).encode(),
            "metrics": gateway.gateway.metrics.render(),
            "values": (await _shown(gateway)).encode(),
            "database under way": _bytes_of(url),
        }
        kept = await gateway.stored((await gateway.all())[-1].id)
    places["database"] = _bytes_of(url)
    places["log"] = logged.getvalue().encode()
    places["own log lines"] = "\n".join(said).encode()
    people = {number: number[-8:] for number in NUMBERS} | {"name": NAME, "mail": MAIL}
    canaries = secrets | people | {f"token {n}": token for n, token in enumerate(tokens)}

    found = {name: found_in(place, canaries) for name, place in places.items()}
    # A client's settings show whose they are, as a database's address shows its user.
    found["values"] = [name for name in found["values"] if name != "API user"]
    assert found == {name: [] for name in places}
    # It did go everywhere: what was sent is there, sealed, and the places looked at are not empty.
    assert kept.payment.party_id in NUMBERS
    assert len(tokens) > len(FAULTS)
    assert {202, 400, 401, 404, 409, 422} <= {one.status_code for one in answers}
    assert all(len(place) > 1000 for place in places.values())


def test_a_canary_is_found_in_every_form() -> None:
    """The search would find one: plain, in hex, in base64 at any offset."""
    canary = {"number": NUMBERS[0]}
    plain = NUMBERS[0].encode()
    places = [plain, plain.hex().encode(), plain.hex().upper().encode()]
    places += [b64encode(b"x" * n + plain + b"tail") for n in range(6)]

    assert [found_in(b"before " + place + b" after", canary) for place in places] == [
        ["number"]
    ] * len(places)
