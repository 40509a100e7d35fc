"""`momo batch` at a gateway: what its answers come to, and what is drawn of them."""

from __future__ import annotations

import json
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest

from momokit.cli.batch_show import code_of_batch
from momokit.cli.batch_watch import News, Pace, duration

from .runner import Ran, run

BATCH: dict[str, Any] = {
    "id": "bat_1",
    "label": "March",
    "period": "2026-03",
    "state": "running",
    "paused_reason": None,
    "currency": "UGX",
    "amount": "6000",
    "rows": 4,
    "rows_to_pay": 3,
    "file_name": "salaries.csv",
    "hash": "ab" * 32,
    "made_by": "amina",
    "parent_id": None,
    "approvals_needed": 1,
    "approvals": [
        {"person": "joseph", "what": "override", "counts": True},
        {"person": "joseph", "what": "approve", "counts": True},
        {"person": "old", "what": "approve", "counts": False},
    ],
    "to_override": [],
    "not_overridden": [],
    "checks": {"ok": 3, "excluded": 1},
    "findings": [],
    "notes": [{"en": "a note", "fr": "une note"}],
    "progress": {
        "successful": {"rows": 1, "amount": "1000"},
        "ready": {"rows": 2, "amount": "5000"},
    },
    "float": {"balance": "4000", "as_of": None, "needed": "5000", "missing": "1000"},
    "rows_per_second": 5.0,
    "seconds_left": 0.4,
}


class Gateway(ThreadingHTTPServer):
    """Answers everything with what the test lays down, and keeps what was asked."""

    daemon_threads = True

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), _Answer)
        self.answers: list[tuple[int, str]] = []
        self.asked: list[tuple[str, dict[str, str], bytes]] = []

    @property
    def url(self) -> str:
        """Where it is."""
        return f"http://127.0.0.1:{self.server_address[1]}"

    def run(self, *words: str) -> Ran:
        """Run `momo batch` at it."""
        return run(
            "batch", *words, MOMO_GATEWAY_URL=self.url, MOMO_GATEWAY_KEY="mk_test_1",
            NO_PROXY="127.0.0.1",
        )  # fmt: skip


class _Answer(BaseHTTPRequestHandler):
    server: Gateway

    def do_GET(self) -> None:
        """Answer with what is next; the last answer is repeated."""
        body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
        self.server.asked.append((f"{self.command} {self.path}", dict(self.headers), body))
        answers = self.server.answers
        status, text = answers.pop(0) if len(answers) > 1 else answers[0]
        self.send_response(status)
        self.send_header("Content-Length", str(len(text.encode())))
        if status == 302:
            self.send_header("Location", "http://127.0.0.1:9/")
        self.end_headers()
        self.wfile.write(text.encode())

    do_POST = do_PATCH = do_GET

    def log_message(self, *_: object) -> None:
        """Say nothing."""


@pytest.fixture
def gateway() -> Iterator[Gateway]:
    """Give a gateway on a socket of its own."""
    with Gateway() as server:
        thread = threading.Thread(target=server.serve_forever, args=(0.01,))
        thread.start()
        yield server
        server.shutdown()
        thread.join()


def batch(**changes: Any) -> str:
    """A batch as the API shows it."""
    return json.dumps(BATCH | changes)


def problem(status: int, code: str, **more: Any) -> tuple[int, str]:
    """A problem as the API tells it."""
    told = {"code": code, "title": "No.", "detail": "Because.", "hint": "Do this."} | more
    return status, json.dumps(told)


@pytest.mark.parametrize(
    ("words", "missing"),
    [
        (("list",), "url"),
        (("list", "--url", "ftp://x"), "url"),
        (("list", "--url", "http://x"), "key"),
    ],
)
def test_where_and_as_whom_must_be_said(words: tuple[str, ...], missing: str) -> None:
    """The address and the key, or the variables they come from."""
    ran = run("batch", *words, "--json", MOMO_GATEWAY_URL="", MOMO_GATEWAY_KEY="")

    assert (ran.code, ran.error["field"]) == (2, missing)


@pytest.mark.parametrize(
    ("answer", "code"),
    [
        (problem(400, "invalid_request", field="label"), 2),
        (problem(401, "unauthenticated"), 2),
        (problem(403, "maker_cannot_check"), 3),
        (problem(404, "not_found"), 2),
        (problem(409, "hash_changed"), 3),
        (problem(429, "rate_limited"), 4),
        (problem(503, "money_stopped"), 4),
        (problem(500, "internal_error"), 5),
        ((502, "<html>"), 5),
        ((404, "<html>"), 2),
        ((302, ""), 2),
    ],
)
def test_what_the_gateway_says_no_to_ends_with_its_code(
    gateway: Gateway, answer: tuple[int, str], code: int
) -> None:
    """A no is no failure of the command's, and an answer that was lost is never a no."""
    gateway.answers = [answer]
    ran = gateway.run("submit", "bat_1", "--json")

    assert ran.code == code
    assert ran.error["exit_code"] == code


def test_a_problem_is_told_in_its_own_words(gateway: Gateway) -> None:
    """Title, detail, hint and the stable code."""
    gateway.answers = [problem(409, "hash_changed")]
    ran = gateway.run("submit", "bat_1", "--json")

    told = {name: ran.error[name] for name in ("message", "hint", "code", "retry_is_safe")}
    assert told == {
        "message": "No. Because.",
        "hint": "Do this.",
        "code": "hash_changed",
        "retry_is_safe": True,
    }


def test_a_lost_answer_to_a_question_changed_nothing(gateway: Gateway) -> None:
    """Reading may be repeated; after a write one looks first."""
    gateway.answers = [(502, "<html>")]
    read, written = gateway.run("show", "bat_1", "--json"), gateway.run("submit", "bat_1", "--json")

    assert (read.code, read.error["retry_is_safe"]) == (4, True)
    assert (written.code, written.error["retry_is_safe"]) == (5, False)
    assert "momo batch list" in written.error["hint"]


def test_no_gateway_at_all_is_told() -> None:
    """Nobody listens: nothing was changed, and the command may be repeated."""
    ran = run(
        "batch", "submit", "bat_1", "--json", MOMO_GATEWAY_URL="http://127.0.0.1:9",
        MOMO_GATEWAY_KEY="mk_test_1", NO_PROXY="127.0.0.1",
    )  # fmt: skip

    assert (ran.code, ran.error["retry_is_safe"]) == (4, True)


def test_the_key_follows_no_redirect(gateway: Gateway) -> None:
    """Whoever is pointed to does not get to see it."""
    gateway.answers = [(302, "")]
    gateway.run("show", "bat_1")

    assert len(gateway.asked) == 1


def test_a_batch_is_shown_with_whose_move_it_is(gateway: Gateway) -> None:
    """What is to pay, who signed, what is missing, rows and money by state."""
    gateway.answers = [(200, batch())]
    ran = gateway.run("show", "bat_1")
    lines = [" ".join(line.split()) for line in ran.out.splitlines()]

    assert ran.code == 6
    assert "to pay UGX 6,000 in 3 rows (of 4)" in lines
    assert "approved by joseph (1 needed)" in lines
    assert "missing there UGX 1,000" in lines
    assert "note: a note" in lines
    assert lines[-6:] == [
        "state rows money",
        "successful 1 UGX 1,000",
        "ready 2 UGX 5,000",
        "total 3 UGX 6,000",
        "",
        "Follow it: momo batch watch bat_1",
    ]


@pytest.mark.parametrize(
    ("state", "progress", "code"),
    [
        ("finished", {"successful": 3}, 0),
        ("finished", {"successful": 2, "failed": 1}, 3),
        ("cancelled", {"successful": 1}, 3),
        ("rejected", {}, 3),
        ("cancelled", {"pending": 1}, 6),
        ("finished", {"unknown": 1}, 6),
        ("paused", {"successful": 1, "ready": 2}, 6),
        ("checked", {}, 6),
    ],
)
def test_the_exit_code_tells_how_a_batch_stands(
    state: str, progress: dict[str, int], code: int
) -> None:
    """0 only when all of it is paid; what is open or unknown is neither yes nor no."""
    counted = {name: {"rows": rows, "amount": "1"} for name, rows in progress.items()}

    assert code_of_batch(BATCH | {"state": state, "progress": counted}) == code


def test_an_upload_sends_the_file_as_it_is(gateway: Gateway, tmp_path: Path) -> None:
    """With its name and what it is for, under an Idempotency-Key."""
    file = tmp_path / "salaries.csv"
    file.write_bytes(b"phone,amount\n0772123456,1\n")
    gateway.answers = [(201, batch(state="draft"))]
    ran = gateway.run(
        "upload", str(file), "--label", "March", "--no-check-holders", "--no-wait",
        "--idempotency-key", "march-1", "--json",
    )  # fmt: skip
    path, headers, body = gateway.asked[0]

    assert (ran.code, ran.json["id"]) == (0, "bat_1")
    assert path == "POST /v1/batches?filename=salaries.csv&label=March&check_holders=false"
    assert (headers["Idempotency-Key"], body) == ("march-1", file.read_bytes())


def test_signing_without_a_person_needs_the_hash(gateway: Gateway) -> None:
    """A script names the rows it means; nothing is sent without."""
    ran = gateway.run("approve", "bat_1")

    assert (ran.code, gateway.asked) == (2, [])
    assert "--hash" in ran.err


@pytest.mark.parametrize(
    ("words", "path", "body"),
    [
        (("approve", "--hash", "ab"), "approve", {"hash": "ab"}),
        (
            ("reject", "--hash", "ab", "--because", "late"),
            "reject",
            {"hash": "ab", "because": "late"},
        ),
        (
            ("override", "--hash", "ab", "--because", "seen", "--code", "name_differs"),
            "override",
            {"hash": "ab", "codes": ["name_differs"], "because": "seen"},
        ),
        (("pause", "--because", "x"), "pause", {"because": "x"}),
        (("cancel", "--because", "x"), "cancel", {"because": "x"}),
        (("retry-failed", "--with-cancelled"), "retry-failed", {"with_cancelled": True}),
        (("withdraw",), "withdraw", None),
        (("recheck",), "recheck", None),
        (("resume",), "resume", None),
    ],
)
def test_each_command_does_its_one_thing(
    gateway: Gateway, words: tuple[str, ...], path: str, body: Any
) -> None:
    """One request, with what the person said."""
    gateway.answers = [(200, batch())]
    ran = gateway.run(words[0], "bat_1", *words[1:], "--json")
    asked, _, sent = gateway.asked[0]

    assert ran.code == 0
    assert asked == f"POST /v1/batches/bat_1/{path}"
    assert (json.loads(sent) if sent else None) == body


def test_a_row_is_corrected_by_its_number(gateway: Gateway) -> None:
    """Only what was named is changed."""
    row = {
        "row": 17, "phone": "256••••••456", "name": None, "holder": None, "amount": "5",
        "reference": "", "check": "unchecked", "excluded": False, "findings": [], "payment": None,
    }  # fmt: skip
    gateway.answers = [(200, json.dumps(row))]
    ran = gateway.run("edit", "bat_1", "17", "--amount", "5", "--exclude")
    nothing = gateway.run("edit", "bat_1", "17")

    assert (ran.code, nothing.code, len(gateway.asked)) == (0, 2, 1)
    assert gateway.asked[0][0] == "PATCH /v1/batches/bat_1/rows/17"
    assert json.loads(gateway.asked[0][2]) == {"amount": "5", "excluded": True}


def test_watching_ends_with_the_batch(gateway: Gateway) -> None:
    """A line for each change, then how it ended."""
    paid = {"successful": {"rows": 3, "amount": "6000"}}
    gateway.answers = [
        (200, batch()),
        (200, batch()),
        (200, batch(state="finished", progress=paid)),
    ]
    ran = gateway.run("watch", "bat_1", "--interval", "0.1", "--json")

    assert (ran.code, ran.json["state"]) == (0, "finished")
    assert [(one["state"], one["done_rows"]) for one in ran.events] == [
        ("running", 1),
        ("finished", 3),
    ]


@pytest.mark.parametrize("state", ["paused", "checked"])
def test_watching_ends_where_a_person_must_act(gateway: Gateway, state: str) -> None:
    """It says what to do, and with the exit code that it is open."""
    gateway.answers = [(200, batch(state=state, paused_reason="low_float"))]
    ran = gateway.run("watch", "bat_1")

    assert ran.code == 6
    assert "momo batch" in ran.out.splitlines()[-1]


def test_running_a_paused_batch_resumes_it(gateway: Gateway) -> None:
    """And follows it; a batch that runs is only followed."""
    ended = (200, batch(state="finished"))
    gateway.answers = [(200, batch(state="paused")), (200, batch()), ended]
    gateway.run("run", "bat_1", "--interval", "0.1", "--json")
    resumed = [path for path, _, _ in gateway.asked]
    gateway.asked.clear()
    gateway.run("run", "bat_1", "--interval", "0.1", "--json")

    assert resumed[:2] == ["GET /v1/batches/bat_1", "POST /v1/batches/bat_1/resume"]
    assert [path for path, _, _ in gateway.asked if path.startswith("POST")] == []


def test_a_download_leaves_no_half_file(gateway: Gateway, tmp_path: Path) -> None:
    """What came is in the file, for its owner alone; a refusal leaves none."""
    good, bad = tmp_path / "good.csv", tmp_path / "bad.csv"
    gateway.answers = [(200, "a,b\r\n")]
    saved = gateway.run("results", "bat_1", "--format", "csv", "--lang", "fr", "--out", str(good))
    gateway.answers = [problem(404, "not_found")]
    refused = gateway.run("results", "bat_1", "--out", str(bad))

    assert (saved.code, good.read_bytes(), good.stat().st_mode & 0o077) == (0, b"a,b\r\n", 0)
    assert (refused.code, bad.exists()) == (2, False)
    assert gateway.asked[0][0] == "GET /v1/batches/bat_1/results?format=csv&language=fr"


def test_the_pace_is_that_of_the_last_half_minute() -> None:
    """Rows a second, and the time that the rest will take; nothing when it cannot be told."""
    pace = Pace()
    pace.add(0.0, 0)
    unknown = (pace.rows_per_second, pace.seconds_left(10))
    for second in range(1, 101):
        pace.add(float(second), 2 * second if second > 60 else 0)

    assert unknown == (0.0, None)
    assert (pace.rows_per_second, pace.seconds_left(20)) == (2.0, 10.0)


def test_one_line_says_all_of_a_running_batch() -> None:
    """State, rows, counts, money, rate and time left."""
    news = News(batch=BATCH, done_rows=1, rows=3, rows_per_second=0.5, seconds_left=4.0)

    assert news.line == (
        "running  1/3 rows  1 successful, 2 ready  UGX 1,000 of UGX 6,000  0.5 rows/s  4 s left"
    )


def test_lengths_of_time_are_for_people() -> None:
    """Seconds, minutes, hours."""
    assert [duration(one) for one in (0, 89, 90, 3_600, 5_400, 7_260)] == [
        "0 s", "89 s", "2 min", "60 min", "1 h 30 min", "2 h 01 min",
    ]  # fmt: skip
