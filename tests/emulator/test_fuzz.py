"""Whatever is sent, the emulator answers and does not break."""

from __future__ import annotations

import string
import uuid
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from momokit.emulator import Reply, Request
from momokit.emulator.fault_names import FAULTS
from momokit.emulator.routes import OPERATIONS

from .caller import CASH_TRANSFER, INVOICE, PAYMENT, PREAPPROVAL, Caller

_CALLER = Caller()
_TEXT = st.text(max_size=20) | st.sampled_from(["", "0", "EUR", "46733123450", "MSISDN"])
_JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | _TEXT,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(_TEXT, inner, max_size=3),
    max_leaves=6,
)
_PATHS = [
    (operation.method, f"/{product}{operation.path}" if product else operation.path)
    for operation in OPERATIONS
    for product in operation.products
]
_BODIES = [INVOICE, PREAPPROVAL, PAYMENT, CASH_TRANSFER, _CALLER.body("payer", "1")]


def _answers(request: Request) -> Reply:
    reply = _CALLER.emulator.handle(request)
    crashed = _CALLER.emulator.history[-1].note if _CALLER.emulator.crashes else ""
    assert crashed == ""
    assert reply.cut or 200 <= reply.status <= 599
    return reply


@given(
    method=st.sampled_from(["GET", "POST", "PUT", "DELETE", "PATCH", ""]) | st.text(max_size=5),
    path=st.text(max_size=60) | st.sampled_from([path for _, path in _PATHS]),
    headers=st.dictionaries(st.text(string.ascii_lowercase + "-", max_size=20), st.text()),
    body=st.binary(max_size=200),
    query=st.text(max_size=30),
)
def test_any_request_is_answered(
    method: str, path: str, headers: dict[str, str], body: bytes, query: str
) -> None:
    """No method, path, header or body makes the emulator raise."""
    _answers(Request(method, path, headers, body, query))


@given(
    where=st.sampled_from(_PATHS),
    values=st.lists(st.text(max_size=30) | st.just("46733123450"), min_size=3, max_size=3),
    body=_JSON,
    url=st.text(max_size=40) | st.just("http://127.0.0.1/cb"),
    reference=st.uuids(version=4).map(str) | st.text(max_size=40),
    basic=st.booleans(),
)
@settings(max_examples=300)
def test_any_body_behind_good_credentials_is_answered(
    where: tuple[str, str], values: list[str], body: Any, url: str, reference: str, basic: bool
) -> None:
    """Behind every door, no body and no path value makes the emulator raise."""
    method, path = where
    for value in values:
        start, brace, rest = path.partition("{")
        path = start + value + rest.partition("}")[2] if brace else path
    product = path.split("/")[1]
    known = product in ("collection", "disbursement", "remittance")
    headers = {
        **_CALLER.headers(product if known else "collection"),
        "X-Reference-Id": reference,
        "X-Callback-Url": url,
        "NotificationMessage": url,
    }
    if basic:
        headers["Authorization"] = _CALLER.basic()
    lower = {name.lower(): value for name, value in headers.items()}
    content = Request.of("POST", "/", json=body).body
    _answers(Request(method, path, {**lower, "content-length": "1"}, content))


@given(
    body=st.sampled_from(_BODIES),
    field=st.text(max_size=8),
    value=_JSON,
    data=st.data(),
)
@settings(max_examples=300)
def test_any_field_may_be_anything(
    body: dict[str, Any], field: str, value: Any, data: st.DataObject
) -> None:
    """A good body with one field replaced is accepted or refused, never a crash."""
    name = data.draw(st.sampled_from([*body, field]))
    creations = [path for method, path in _PATHS if method == "POST" and "{" not in path]
    path = data.draw(st.sampled_from(creations))
    product = path.split("/")[1]
    headers = _CALLER.headers(product if product != "v1_0" else "collection")
    headers = {**headers, "X-Reference-Id": str(uuid.uuid4())}
    _answers(Request.of("POST", path, headers=headers, json={**body, name: value}))


@given(
    name=st.sampled_from(list(FAULTS)) | st.text(max_size=10),
    arguments=st.lists(st.text(string.printable, max_size=8) | st.integers().map(str), max_size=3),
    where=st.sampled_from(_PATHS),
)
def test_any_fault_header_is_answered(
    name: str, arguments: list[str], where: tuple[str, str]
) -> None:
    """A fault header is obeyed or refused in words, on every operation."""
    method, path = where
    path = path.replace("{", "").replace("}", "")
    product = path.split("/")[1]
    headers = _CALLER.headers(product if product != "v1_0" else "collection")
    headers["X-Emulator-Fault"] = f"{name}({', '.join(arguments)})"
    headers["X-Reference-Id"] = str(uuid.uuid4())
    body = _CALLER.body("payer", "256772000000", payee=INVOICE["payee"])
    _answers(Request.of(method, path, headers=headers, json=body))
