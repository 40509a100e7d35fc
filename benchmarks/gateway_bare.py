"""The same work by a bare prototype: one table that is the queue, and nothing else.

`python -m benchmarks.gateway_bare DATABASE EMULATOR RECEIVER PORT ROLE`: takes a payment in, puts
it to MTN, hears the callback, asks, and posts a webhook. It has no history, idempotency, checks,
signatures, metrics, log or second try, and no answer to a crash beyond its lease: it shows what
the features cost.
"""

from __future__ import annotations

import asyncio
import base64
import json
import queue
import sqlite3
import sys
import threading
import time
import uuid
from collections.abc import Callable
from typing import Any

from benchmarks.gateway_emulated import API_KEY, API_USER, SUBSCRIPTION_KEY
from benchmarks.gateway_load import Line, post

AT_ONCE = 32
LEASE_SECONDS = 60.0
POLL_SECONDS = 5.0
IDLE_SECONDS = 0.02
NEW, PENDING, SETTLED = range(3)

_MAKE = (
    "CREATE TABLE IF NOT EXISTS work (id TEXT PRIMARY KEY, body TEXT NOT NULL, state INT NOT NULL,"
    " due FLOAT8, held FLOAT8 NOT NULL)",
    "CREATE INDEX IF NOT EXISTS work_due ON work (due) WHERE due IS NOT NULL",
)
_ADD = "INSERT INTO work VALUES (?, ?, 0, ?, 0)"
_HEARD = "UPDATE work SET due = ? WHERE id = ? AND due IS NOT NULL"
_DONE = "UPDATE work SET state = ?, due = ?, held = 0 WHERE id = ?"
_CLAIM = (
    "UPDATE work SET held = ? WHERE id IN (SELECT id FROM work WHERE due <= ? AND held <= ?"
    " ORDER BY due LIMIT ? {lock}) RETURNING id, body, state"
)


class Books:
    """One thread that writes; what is waiting is committed together."""

    def __init__(self, url: str) -> None:
        self._connect: Callable[[], Any]
        if url.startswith("sqlite"):
            path = url.removeprefix("sqlite:///") + ".bare"
            self._connect = lambda: sqlite3.connect(path, isolation_level=None)
            self.claim, self._mark = _CLAIM.format(lock=""), "?"
            self._begin: tuple[str, ...] = ("PRAGMA journal_mode=WAL", "PRAGMA synchronous=FULL")
        else:
            import psycopg

            plain = url.replace("postgresql+psycopg", "postgresql")
            self._connect = lambda: psycopg.connect(plain, autocommit=True)
            self.claim, self._mark = _CLAIM.format(lock="FOR UPDATE SKIP LOCKED"), "%s"
            self._begin = ()
        self._waiting: queue.SimpleQueue[Any] = queue.SimpleQueue()
        threading.Thread(target=self._write, daemon=True).start()

    async def do(self, statement: str, *values: Any) -> list[Any]:
        """Run a statement, and wait until it is committed."""
        loop = asyncio.get_running_loop()
        done: asyncio.Future[list[Any]] = loop.create_future()
        self._waiting.put((statement.replace("?", self._mark), values, done, loop))
        return await done

    def _write(self) -> None:
        connection = self._connect()
        for statement in (*self._begin, *_MAKE):
            connection.execute(statement)
        while True:
            jobs = [self._waiting.get()]
            while len(jobs) < 100 and not self._waiting.empty():
                jobs.append(self._waiting.get())
            connection.execute("BEGIN")
            told = [(job, _run(connection, *job[:2])) for job in jobs]
            connection.execute("COMMIT")
            jobs[0][3].call_soon_threadsafe(_tell, told)


def _run(connection: Any, statement: str, values: tuple[Any, ...]) -> list[Any]:
    made = connection.execute(statement, values)
    return list(made.fetchall()) if made.description else []


def _tell(told: list[tuple[Any, list[Any]]]) -> None:
    for job, rows in told:
        job[2].set_result(rows)


class Edge(asyncio.Protocol):
    """Takes payments and callbacks."""

    def __init__(self, bare: Bare) -> None:
        self._bare = bare
        self._rest = b""
        self._transport: Any = None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = transport

    def data_received(self, data: bytes) -> None:
        self._rest += data
        head, found, rest = self._rest.partition(b"\r\n\r\n")
        _, _, length = head.lower().partition(b"\r\ncontent-length:")
        size = int(length.split(b"\r\n", 1)[0] or b"0")
        if found and len(rest) >= size:
            self._rest = b""
            path = head.split(b" ", 2)[1].decode()
            self._bare.keep(asyncio.create_task(self._answer(path, rest)))

    async def _answer(self, path: str, body: bytes) -> None:
        if path.startswith("/cb/"):
            await self._bare.books.do(_HEARD, time.time(), path[4:])
        else:
            payment_id = str(uuid.uuid4())
            order = json.loads(body)
            await self._bare.books.do(_ADD, payment_id, order["party"], time.time())
        self._bare.news.set()
        self._transport.write(b"HTTP/1.1 202 Accepted\r\nContent-Length: 0\r\n\r\n")


class Bare:
    """The prototype."""

    def __init__(self, url: str, emulator: int, receiver: int, port: int) -> None:
        self.books = Books(url)
        self.news = asyncio.Event()
        self._mtn, self._merchant, self._port = Line(emulator), Line(receiver), port
        self._headers = ""
        self._running: set[asyncio.Task[None]] = set()

    def keep(self, task: asyncio.Task[None]) -> None:
        """Hold on to a task until it is done."""
        self._running.add(task)
        task.add_done_callback(self._running.discard)

    async def work(self) -> None:
        """Claim what is due and carry it one step further, for ever."""
        await self._log_in()
        under_way: set[asyncio.Task[None]] = set()
        while True:
            now, room = time.time(), AT_ONCE - len(under_way)
            rows = await self.books.do(self.books.claim, now + LEASE_SECONDS, now, now, room)
            under_way |= {asyncio.create_task(self._step(*row)) for row in rows}
            if under_way and (rows or len(under_way) >= AT_ONCE):
                _, under_way = await asyncio.wait(
                    under_way, timeout=IDLE_SECONDS, return_when=asyncio.FIRST_COMPLETED
                )
            elif not rows:
                self.news.clear()
                try:
                    await asyncio.wait_for(self.news.wait(), IDLE_SECONDS)
                except TimeoutError:
                    under_way = {task for task in under_way if not task.done()}

    async def _step(self, payment_id: str, payer: str, state: int) -> None:
        path = "/collection/v1_0/requesttopay"
        after: tuple[int, float | None] = (PENDING, time.time() + POLL_SECONDS)
        if state == NEW:
            callback = f"http://127.0.0.1:{self._port}/cb/{payment_id}"
            headers = (
                f"{self._headers}X-Reference-Id: {payment_id}\r\nX-Callback-Url: {callback}\r\n"
            )
            await self._mtn.ask(post(path, _body(payment_id, payer), headers=headers))
        elif state == PENDING:
            get = f"GET {path}/{payment_id} HTTP/1.1\r\nHost: 127.0.0.1\r\n{self._headers}\r\n"
            if b"SUCCESSFUL" in await self._mtn.ask(get.encode()):
                after = (SETTLED, time.time())
        else:
            hook = json.dumps({"id": payment_id, "type": "payment.successful"}).encode()
            await self._merchant.ask(post("/hooks", hook, headers=f"webhook-id: {payment_id}\r\n"))
            after = (SETTLED, None)
        await self.books.do(_DONE, *after, payment_id)
        self.news.set()

    async def _log_in(self) -> None:
        keys = base64.b64encode(f"{API_USER}:{API_KEY}".encode()).decode()
        shared = f"Ocp-Apim-Subscription-Key: {SUBSCRIPTION_KEY}\r\n"
        login = post("/collection/token/", b"", headers=f"{shared}Authorization: Basic {keys}\r\n")
        token = json.loads((await self._mtn.ask(login)).split(b"\r\n\r\n", 1)[1])["access_token"]
        self._headers = (
            f"{shared}Authorization: Bearer {token}\r\nX-Target-Environment: mtnuganda\r\n"
        )


def _body(payment_id: str, payer: str) -> bytes:
    body = {"amount": "5000", "currency": "UGX", "externalId": payment_id}
    return json.dumps(body | {"payer": {"partyIdType": "MSISDN", "partyId": payer}}).encode()


async def main(url: str, emulator: str, receiver: str, port: str, role: str) -> None:
    """Serve, work, or both, until terminated."""
    bare = Bare(url, int(emulator), int(receiver), int(port))
    if role != "worker":
        loop = asyncio.get_running_loop()
        await loop.create_server(lambda: Edge(bare), "127.0.0.1", int(port), backlog=512)
    await bare.books.do("SELECT 1")
    print(port, flush=True)
    if role == "api":
        await asyncio.Event().wait()
    await bare.work()


if __name__ == "__main__":
    asyncio.run(main(*sys.argv[1:]))
