"""Batches over the API, with MTN behind a real socket: from the upload to the results."""

from __future__ import annotations

import asyncio
import csv
import io
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Any

import httpx2
import pytest

from momokit.gateway.core.batch import BatchPolicy
from momokit.gateway.keys import create_key, make_key
from momokit.gateway.store.batches import set_policy
from tests.gateway.journeys.whole import Whole, whole

pytestmark = pytest.mark.anyio

HEADER = "Phone,Amount,Name,Reference"
ROWS = [f"4673312390{number},{5 + number},,R{number}" for number in range(1, 4)]
PATIENCE = 1500
QUICK = BatchPolicy(rows_per_second=100.0, check_holders=False)


@dataclass
class Person:
    """Somebody with a key of their own."""

    http: httpx2.AsyncClient
    key: str
    asked: int = 0

    async def ask(
        self, method: str, path: str, body: Any = None, *, key: str | None = None, **more: Any
    ) -> httpx2.Response:
        """Ask the API, each time under a new Idempotency-Key unless one is given."""
        self.asked += 1
        headers = {
            "Authorization": f"Bearer {self.key}",
            "Idempotency-Key": key or f"{self.key[-6:]}-{self.asked}",
        }
        return await self.http.request(
            method, f"/v1/batches{path}", json=body, headers=headers, **more
        )

    async def upload(self, content: bytes, *, key: str | None = None, query: str = "") -> Any:
        """Send a file."""
        self.asked += 1
        headers = {
            "Authorization": f"Bearer {self.key}",
            "Idempotency-Key": key or f"{self.key[-6:]}-{self.asked}",
            "Content-Type": "text/csv",
        }
        return await self.http.post(
            f"/v1/batches?filename=salaries.csv{query}", content=content, headers=headers
        )

    async def until(self, batch_id: str, *states: str) -> dict[str, Any]:
        """Wait until a batch is in one of these states."""
        for _ in range(PATIENCE):
            found: dict[str, Any] = (await self.ask("GET", f"/{batch_id}")).json()
            if found["state"] in states:
                return found
            await asyncio.sleep(0.02)
        raise AssertionError(found)


@dataclass
class Office:
    """A running gateway, and two persons."""

    whole: Whole
    maker: Person
    checker: Person


@asynccontextmanager
async def office_at(url: str, policy: BatchPolicy = QUICK, **told: Any) -> AsyncIterator[Office]:
    """Run a gateway with two persons, whose account allows its batches this."""
    async with whole(url, **told) as one:
        account = await one.account()
        await one.gateway.store.write(lambda t: set_policy(t, account.id, policy, by="test"))
        people = []
        for owner, scopes in (("Amina", ["disburse"]), ("Brian", ["approve", "disburse"])):
            new = make_key(label=f"{owner} at work", scopes=scopes, live=False, owner=owner)
            await one.gateway.store.write(lambda t, new=new: create_key(t, new))
            people.append(Person(one.http, new.text.reveal()))
        yield Office(one, *people)


@pytest.fixture
async def office(url: str) -> AsyncIterator[Office]:
    """Run a gateway whose account lets batches go quickly."""
    async with office_at(url) as office:
        yield office


def sheet(*rows: str) -> bytes:
    """Write a file."""
    return "\n".join([HEADER, *rows]).encode()


async def test_salaries_from_the_upload_to_the_results(office: Office) -> None:
    """A maker uploads and submits, a checker approves, MTN pays, and the file comes back."""
    maker, checker = office.maker, office.checker
    made = await maker.upload(sheet(*ROWS), query="&label=November&period=2026-11")
    assert made.status_code == 201, made.text
    batch_id = made.json()["id"]
    await maker.until(batch_id, "checked")
    submitted = (await maker.ask("POST", f"/{batch_id}/submit")).json()
    own = await maker.ask("POST", f"/{batch_id}/approve", {"hash": submitted["hash"]})
    seen = (await checker.ask("GET", f"/{batch_id}")).json()
    approved = await checker.ask("POST", f"/{batch_id}/approve", {"hash": seen["hash"]})
    done = await maker.until(batch_id, "finished")
    results = await maker.ask("GET", f"/{batch_id}/results?format=csv")
    table = list(csv.DictReader(io.StringIO(results.content.decode("utf-8-sig"))))

    assert own.status_code == 403
    assert approved.status_code == 200
    assert approved.json()["state"] in ("approved", "preparing", "running", "finished")
    assert done["progress"] == {"successful": {"rows": 3, "amount": "21.00"}}
    assert [row["Reference"] for row in table] == ["R1", "R2", "R3"]
    moved = [office.whole.moved(one).times for one in await office.whole.all()]
    assert moved == [1, 1, 1]


async def test_an_upload_repeated_is_the_same_batch(office: Office) -> None:
    """The same key and bytes give the same batch; other bytes under the key are refused."""
    first = await office.maker.upload(sheet(*ROWS), key="k")
    again = await office.maker.upload(sheet(*ROWS), key="k")
    other = await office.maker.upload(sheet(ROWS[0]), key="k")
    assert first.json()["id"] == again.json()["id"]
    assert again.headers["Idempotency-Replayed"] == "true"
    assert (other.status_code, other.json()["code"]) == (422, "idempotency_mismatch")


async def test_a_file_in_a_form_is_taken_too(office: Office) -> None:
    """A browser sends a form; the file in it is what counts."""
    headers = {"Authorization": f"Bearer {office.maker.key}", "Idempotency-Key": "form"}
    files = {"file": ("pay.csv", sheet(*ROWS), "text/csv")}
    made = await office.whole.http.post("/v1/batches", files=files, headers=headers)
    assert made.status_code == 201, made.text
    assert (made.json()["file_name"], made.json()["rows"]) == ("pay.csv", 3)


@pytest.mark.parametrize(
    ("content", "code"),
    [
        (b"", "invalid_request"),
        (b"%PDF-1.7 nonsense", "file_refused"),
        (b"PK\x03\x04 broken", "file_refused"),
        (b"one,two\n1,2\n", "file_refused"),
    ],
)
async def test_nonsense_is_refused_and_leaves_nothing(
    office: Office, content: bytes, code: str
) -> None:
    """What cannot be read is a 400 with a reason, and makes no batch."""
    refused = await office.maker.upload(content)
    listed = (await office.maker.ask("GET", "")).json()
    assert (refused.status_code, refused.json()["code"]) == (400, code)
    assert listed["items"] == []


async def test_numbers_are_masked_and_names_are_for_those_who_pay(office: Office) -> None:
    """No answer shows a whole number; a reader sees no names."""
    row = "46733123901,5,Ama Mensah,R1"
    batch_id = (await office.maker.upload(sheet(row))).json()["id"]
    new = make_key(label="books", scopes=["read"], live=False)
    await office.whole.gateway.store.write(lambda t: create_key(t, new))
    reader = Person(office.whole.http, new.text.reveal())
    for person, name in ((office.maker, "Ama Mensah"), (reader, None)):
        page = await person.ask("GET", f"/{batch_id}/rows")
        assert page.json()["items"][0]["name"] == name
        assert "46733123901" not in page.text
    assert (await reader.ask("GET", f"/{batch_id}/results")).status_code == 403


async def test_the_history_tells_who_did_what(office: Office) -> None:
    """Each step is on record with the person, and the record is whole."""
    batch_id = (await office.maker.upload(sheet(*ROWS))).json()["id"]
    await office.maker.until(batch_id, "checked")
    submitted = (await office.maker.ask("POST", f"/{batch_id}/submit")).json()
    body = {"hash": submitted["hash"], "because": "Not this month."}
    await office.checker.ask("POST", f"/{batch_id}/reject", body)
    history = (await office.checker.ask("GET", f"/{batch_id}/history")).json()
    told = [(one["event"], one["person"]) for one in history["items"]]
    assert history["intact"] is True
    assert told == [
        ("created", "amina"), ("loaded", None), ("checked", None), ("submitted", "amina"),
        ("rejected", "brian"),
    ]  # fmt: skip
