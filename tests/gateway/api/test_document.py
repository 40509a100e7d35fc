"""The OpenAPI document and its page: complete, true, and with nothing loaded from elsewhere."""

from __future__ import annotations

import re
from typing import Any

import pytest

from tests.gateway.api.making import PHONE, UGANDA, Shop, order

pytestmark = pytest.mark.anyio


async def document(shop: Shop) -> dict[str, Any]:
    """Read the document."""
    answer = await shop.http.get("/openapi.json")
    assert answer.headers["content-type"] == "application/json"
    schema: dict[str, Any] = answer.json()
    return schema


async def test_the_document_names_every_route(shop: Shop) -> None:
    """Every route but callbacks and the document itself is described, with its problems."""
    schema = await document(shop)
    described = {
        (method.upper(), path)
        for path, item in schema["paths"].items()
        for method in item
        if method in ("get", "post", "put", "patch", "delete")
    }
    served = {
        (method, route.path_format)
        for route in shop.api.routes
        for handler in getattr(route, "route_handlers", [])
        for method in handler.http_methods - {"OPTIONS"}
        if not route.path_format.startswith(("/cb/", "/docs", "/openapi.json"))
    }
    assert schema["openapi"].startswith("3.1")
    assert described == served
    for path, item in schema["paths"].items():
        for operation in item.values():
            assert operation["summary"]
            assert operation["description"]
            if path.startswith(("/v1", "/api")):
                assert {"400", "401", "403"} <= set(operation["responses"]), path


async def test_money_needs_its_key_in_the_document_too(shop: Shop) -> None:
    """The Idempotency-Key is required where the code requires it, and optional for the shop."""
    schema = await document(shop)
    wanted = {
        path: parameter["required"]
        for path, item in schema["paths"].items()
        for operation in item.values()
        for parameter in operation.get("parameters", [])
        if parameter["name"] == "Idempotency-Key"
    }
    assert wanted == {
        "/v1/payments": True,
        "/v1/invoices": True,
        "/v1/invoices/{invoice_id}/send": True,
        "/v1/checkouts": True,
        "/v1/payment-links": True,
        "/v1/pre-approvals": True,
        "/v1/batches": True,
        "/v1/batches/{batch_id}/approve": True,
        "/v1/batches/{batch_id}/retry-failed": True,
        "/v1/payments/{payment_id}/refunds": True,
        "/api/pay": False,
        "/api/checkout": False,
    }


async def test_answers_are_as_the_document_says(shop: Shop) -> None:
    """Real answers have exactly the fields that their schema has, and all that it requires."""
    schema = await document(shop)
    caller = await shop.key("admin")
    payment = (await caller.pay("k", metadata={"a": "b"})).json()
    path = f"/v1/payments/{payment['id']}"
    answers = [
        ("post", "/v1/payments", "202", await caller.pay("k2", amount="6")),
        ("get", "/v1/payments", "200", await caller.get("/v1/payments")),
        ("get", "/v1/payments/{payment_id}", "200", await caller.get(path)),
        (
            "get",
            "/v1/payments/{payment_id}/timeline",
            "200",
            await caller.get(f"{path}/timeline"),
        ),
        ("get", "/v1/accounts", "200", await caller.get("/v1/accounts")),
        (
            "post",
            "/v1/webhook-endpoints",
            "201",
            await caller.ask(
                "POST", "/v1/webhook-endpoints", {"url": "https://a.example", "account": UGANDA}
            ),
        ),
        (
            "post",
            "/api/pay",
            "202",
            await (await shop.key("shop", account=UGANDA)).ask(
                "POST", "/api/pay", {"amount": "9", "phone": PHONE}
            ),
        ),
        ("post", "/v1/payments", "400", await caller.ask("POST", "/v1/payments", {}, key="k")),
        ("post", "/v1/payments", "422", await caller.pay("k", amount="7")),
        ("get", "/healthz", "200", await shop.http.get("/healthz")),
    ]
    for method, route, status, answer in answers:
        assert str(answer.status_code) == status, answer.text
        content = schema["paths"][route][method]["responses"][status]["content"]
        kind = answer.headers["content-type"].partition(";")[0]
        check(answer.json(), content[kind]["schema"], schema, at=f"{method} {route}")
    assert order()  # the body used above


async def test_the_page_loads_nothing_from_elsewhere(shop: Shop) -> None:
    """The page names every path and refers to no other host, with no script."""
    answer = await shop.http.get("/docs")
    schema = await document(shop)
    assert answer.headers["content-type"].startswith("text/html")
    assert "default-src 'none'" in answer.headers["content-security-policy"]
    assert "<script" not in answer.text
    assert re.findall(r"(?:src|href)=['\"]?(?:https?:)?//", answer.text) == []
    for path in schema["paths"]:
        assert path in answer.text


def check(value: Any, wanted: dict[str, Any], schema: dict[str, Any], *, at: str) -> None:
    """Hold a value against a schema, as far as types and the names of fields go."""
    if "$ref" in wanted:
        wanted = schema["components"]["schemas"][wanted["$ref"].rpartition("/")[2]]
    if "oneOf" in wanted or "anyOf" in wanted:
        options = wanted.get("oneOf") or wanted["anyOf"]
        assert any(fits(value, option, schema) for option in options), (at, value)
        return
    kinds = wanted.get("type", [])
    kinds = [kinds] if isinstance(kinds, str) else kinds
    assert not kinds or any(isinstance(value, _TYPES[kind]) for kind in kinds), (at, value)
    if "enum" in wanted:
        assert value in wanted["enum"], (at, value)
    if isinstance(value, list):
        for item in value:
            check(item, wanted.get("items", {}), schema, at=f"{at}[]")
    if isinstance(value, dict) and "properties" in wanted:
        assert set(wanted.get("required", [])) <= set(value), at
        assert set(value) <= set(wanted["properties"]), at
        for name, one in value.items():
            check(one, wanted["properties"][name], schema, at=f"{at}.{name}")


def fits(value: Any, wanted: dict[str, Any], schema: dict[str, Any]) -> bool:
    """Tell whether a value is as a schema says."""
    try:
        check(value, wanted, schema, at="")
    except AssertionError:
        return False
    return True


_TYPES: dict[str, Any] = {
    "string": str,
    "integer": int,
    "number": (int, float),
    "boolean": bool,
    "object": dict,
    "array": list,
    "null": type(None),
}
