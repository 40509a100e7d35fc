"""Error answers: one form, stable codes, the field named, and nothing personal or internal."""

from __future__ import annotations

import logging
from pathlib import Path
from typing import Any

import httpx2
import msgspec
import pytest
from litestar import get

from momokit.gateway.api.app import BODY_LIMIT_BYTES, create_api
from momokit.gateway.api.problems import CODES, ProblemBody
from momokit.gateway.book import AccountBook
from momokit.gateway.seal import Sealer
from momokit.gateway.store.store import Store
from tests.gateway.api.making import MSISDN, PHONE, UGANDA, Shop, Told, order
from tests.gateway.veiled import VEIL

pytestmark = pytest.mark.anyio

# A field that there is not is not named: its name is the caller's, and may be a phone number.
BAD_BODIES: list[tuple[dict[str, Any], str | None]] = [
    (order(amont="5000"), None),
    (order(**{MSISDN: "5000"}), None),
    (order(metadata={MSISDN: 1}), "metadata"),
    ({"kind": "request_to_pay"}, "amount"),
    (order(kind="gift"), "kind"),
    (order(amount=5000), "amount"),
    (order(amount="5000.5"), "amount"),
    (order(amount="-1"), "amount"),
    (order(amount="5e3"), "amount"),
    (order(currency="GHS"), "currency"),
    (order(party="12"), "party"),
    (order(party=None), "party"),
    (order(party={"type": "EMAIL", "id": "x"}), "party"),
    (order(party={"type": "FAX", "id": "x"}), "party.type"),
    (order(party={"type": "EMAIL", "id": "a@b.ug", MSISDN: "x"}), "party"),
    (order(metadata={"a": 1}), "metadata"),
    (order(metadata={str(n): "" for n in range(21)}), "metadata"),
    (order(kind="cash_transfer"), "cash_transfer"),
    (order(kind="payment"), "bill"),
    (order(product="remittance"), "product"),
    (order(original_payment_id="pay_1"), "original_payment_id"),
    (order(kind="refund"), "original_payment_id"),
    (order(payer_message="x" * 501), "payer_message"),
    (order(allow_duplicate="perhaps"), "allow_duplicate"),
]


@pytest.mark.parametrize(("body", "field"), BAD_BODIES)
async def test_a_body_that_is_wrong_is_refused_by_field(
    shop: Shop, body: dict[str, Any], field: str | None
) -> None:
    """What is wrong in a body answers 400 with the field as the caller knows it."""
    caller = await shop.key("admin")
    answer = await caller.ask("POST", "/v1/payments", body, key="k")
    told = msgspec.json.decode(answer.content, type=ProblemBody)
    assert (answer.status_code, told.code) == (400, "invalid_request"), told
    assert told.field == field, told
    assert MSISDN not in answer.text


async def test_every_problem_has_the_same_form(shop: Shop) -> None:
    """A problem is RFC 9457 JSON with our code, the request's id and a hint."""
    answer = await shop.http.get("/v1/payments", headers={"X-Request-Id": "mine-0001"})
    told = msgspec.json.decode(answer.content, type=ProblemBody)
    assert answer.headers["content-type"].startswith("application/problem+json")
    assert answer.headers["x-request-id"] == told.request_id == "mine-0001"
    assert (told.status, told.code) == (answer.status_code, "unauthenticated")
    assert told.type.endswith("/unauthenticated")
    assert told.hint
    assert told.title
    assert told.detail


@pytest.mark.parametrize("given", ["x", "a" * 65, "has space", "line\tbreak", "é" * 10])
async def test_a_request_id_that_is_no_id_is_replaced(shop: Shop, given: str) -> None:
    """A caller's request id of another form never comes back: we make one."""
    answer = await shop.http.get("/healthz", headers={"X-Request-Id": given.encode()})
    assert answer.headers["x-request-id"].startswith("req_")


@pytest.mark.parametrize(
    ("method", "path", "status", "code"),
    [
        ("GET", "/nowhere", 404, "not_found"),
        ("DELETE", "/v1/payments", 405, "method_not_allowed"),
        ("GET", "/v1/payments/pay_none", 404, "not_found"),
        ("GET", "/v1/payments/pay_none/timeline", 404, "not_found"),
        ("GET", "/v1/payments?limit=0", 400, "invalid_request"),
        ("GET", "/v1/payments?limit=201", 400, "invalid_request"),
        ("GET", "/v1/payments?limit=many", 400, "invalid_request"),
        ("GET", "/v1/payments?staet=failed", 400, "invalid_request"),
        ("GET", "/v1/payments/pay_none?limit=1", 400, "invalid_request"),
        ("GET", "/v1/payments?state=paid", 400, "invalid_request"),
        ("GET", "/v1/payments?cursor=mine", 400, "invalid_cursor"),
        ("GET", "/v1/payments?created_from=2026-01-01T00:00:00", 400, "invalid_request"),
        ("GET", "/v1/payments?created_from=yesterday", 400, "invalid_request"),
        ("GET", "/v1/payments?account=nobody", 404, "account_unknown"),
        ("GET", "/v1/payments/pay_none?wait=31", 400, "invalid_request"),
        ("GET", "/v1/payments/pay_none?wait=-1", 400, "invalid_request"),
        ("GET", "/v1/payments/pay_none?wait=nan", 400, "invalid_request"),
        ("GET", "/v1/webhook-endpoints/none", 404, "not_found"),
        ("GET", "/v1/webhook-deliveries?before=0", 400, "invalid_request"),
    ],
)
async def test_the_table_of_problems(
    shop: Shop, method: str, path: str, status: int, code: str
) -> None:
    """Each wrong question has its status and its code."""
    caller = await shop.key("admin")
    answer = await caller.ask(method, path)
    assert (answer.status_code, answer.json()["code"]) == (status, code), answer.text


@pytest.mark.parametrize("body", [b"", b"{", b"[]", b"null", b'"x"', b"\xff\xfe", b"{}", b"1" * 9])
async def test_a_body_that_is_no_object_is_a_400(shop: Shop, body: bytes) -> None:
    """Whatever bytes come as a body, the answer is a problem and never a failure of ours."""
    caller = await shop.key("admin")
    headers = {"Authorization": f"Bearer {caller.text}", "Idempotency-Key": "k"}
    answer = await shop.http.post("/v1/payments", content=body, headers=headers)
    assert answer.status_code == 400
    assert answer.json()["code"] in ("invalid_json", "invalid_request")


async def test_a_body_that_is_too_large_is_a_413(shop: Shop) -> None:
    """More than 64 KiB is refused, whether its length is announced or not."""
    caller = await shop.key("admin")
    headers = {"Authorization": f"Bearer {caller.text}", "Idempotency-Key": "k"}

    async def streamed() -> Any:
        for _ in range(BODY_LIMIT_BYTES // 1024 + 1):
            yield b" " * 1024

    for content in (b" " * (BODY_LIMIT_BYTES + 1), streamed()):
        answer = await shop.http.post("/v1/payments", content=content, headers=headers)
        assert (answer.status_code, answer.json()["code"]) == (413, "body_too_large")


@pytest.mark.parametrize(
    ("key", "code"),
    [
        (None, "idempotency_key_missing"),
        ("", "idempotency_key_missing"),
        ("a b", "invalid_idempotency_key"),
        ("k" * 256, "invalid_idempotency_key"),
    ],
)
async def test_money_moves_only_under_a_key(shop: Shop, key: str | None, code: str) -> None:
    """A POST that moves money needs an Idempotency-Key of a sane form, on every such path."""
    caller = await shop.key("admin")
    party = {"account": UGANDA, "party": PHONE}
    original = (await caller.pay("first")).json()["id"]
    for path, body in (
        ("/v1/payments", order(amount="1")),
        ("/v1/invoices", {"account": UGANDA, "amount": "1"}),
        ("/v1/checkouts", {"account": UGANDA, "amount": "1"}),
        ("/v1/payment-links", {"account": UGANDA, "amount": "1"}),
        ("/v1/pre-approvals", party),
        (f"/v1/payments/{original}/refunds", {"amount": "1"}),
    ):
        answer = await caller.ask("POST", path, body, key=key)
        assert (answer.status_code, answer.json()["code"]) == (400, code)
    assert len((await caller.get("/v1/payments")).json()["items"]) == 1


async def test_no_problem_repeats_a_number(shop: Shop) -> None:
    """A refused phone number, or one in a wrong place, is not in the answer."""
    caller = await shop.key("admin")
    wrong = [
        order(party="99999" + MSISDN),
        order(kind=MSISDN),
        order(account=MSISDN),
        order(amount=f"{MSISDN}.55"),
        order(party={"type": MSISDN, "id": "1"}),
    ]
    for body in wrong:
        answer = await caller.ask("POST", "/v1/payments", body, key="k")
        assert answer.status_code in (400, 404)
        assert MSISDN not in answer.text


async def test_a_failure_of_ours_tells_nothing(
    shop: Shop, caplog: pytest.LogCaptureFixture
) -> None:
    """A bug answers 500 with a request id; what the exception says is in no answer and no log."""
    secrets = f"{MSISDN} mk_live_secret"

    @get("/broken", sync_to_thread=False)
    def broken() -> None:
        raise RuntimeError(secrets)

    api = create_api(shop.store, shop.book, Told(), routes=[broken])
    transport = httpx2.ASGITransport(app=api, raise_app_exceptions=False)
    async with httpx2.AsyncClient(transport=transport, base_url="http://gateway") as http:
        with caplog.at_level(logging.DEBUG):
            answer = await http.get("/broken")
    assert (answer.status_code, answer.json()["code"]) == (500, "internal_error")
    for secret in secrets.split():
        assert secret not in answer.text
        assert secret not in caplog.text
    assert answer.json()["request_id"] in caplog.text


async def test_a_database_that_is_not_ready_is_a_503(tmp_path: Path) -> None:
    """Without the tables nothing works, and each answer says to come back later."""
    store = Store(f"sqlite:///{tmp_path / 'empty.db'}", veil=VEIL)
    api = create_api(store, AccountBook(store, Sealer(b"k" * 32)), Told())
    transport = httpx2.ASGITransport(app=api)
    async with httpx2.AsyncClient(transport=transport, base_url="http://gateway") as http:
        answers = [
            await http.get("/readyz"),
            await http.get("/v1/payments", headers={"Authorization": "Bearer mk_test_x"}),
            await http.post(f"/cb/{'A' * 43}", content=b"{}"),
        ]
    store.close()
    for answer in answers:
        assert (answer.status_code, answer.json()["code"]) == (503, "not_ready")
        assert answer.headers["retry-after"] == "1"


def test_every_code_has_a_status_and_words() -> None:
    """The table is complete: each code names a status that is an error, a title and a hint."""
    for code, (status, title, hint) in CODES.items():
        assert 400 <= status <= 599, code
        assert title.endswith("."), code
        assert hint.endswith("."), code
