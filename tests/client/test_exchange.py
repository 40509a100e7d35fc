"""Reading bodies: MTN's three error dialects, pages, cuts and junk."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from momokit.operations.exchange import (
    Response,
    encode,
    error_code,
    error_detail,
    is_gateway_answer,
    is_status,
    json_body,
)
from tests.client.driving import GATEWAY_401, PAGE, reply


@pytest.mark.parametrize(
    ("body", "code"),
    [
        ({"message": "no", "code": "NOT_ALLOWED"}, "NOT_ALLOWED"),
        ({"error": "login_failed"}, "login_failed"),
        ({"statusCode": 401, "message": "Access denied"}, None),
        ({"code": 17}, None),
        ({"code": None, "error": "login failed"}, "login failed"),
        (["NOT_ALLOWED"], None),
        (PAGE, None),
        (b"", None),
        (b'{"code": "NOT_ALL', None),
        (b"\xff\xfe\x00", None),
        (b"[" * 100_000, None),
    ],
)
def test_the_code_is_found_in_every_dialect(body: object, code: str | None) -> None:
    """A body that cannot be read has no code, and is no crash."""
    assert error_code(reply(500, body)) == code


def test_the_outer_gateway_is_told_by_its_dialect() -> None:
    """Only the gateway writes a status code into its body."""
    assert is_gateway_answer(GATEWAY_401) is True
    assert is_gateway_answer(reply(401)) is False
    assert is_gateway_answer(reply(401, {"error": "login_failed"})) is False


@given(st.binary(max_size=200))
def test_any_bytes_can_be_read(raw: bytes) -> None:
    """Nothing that arrives raises."""
    response = Response(500, {}, raw)
    code = error_code(response)
    assert code is None or len(code) <= 64
    assert len(error_detail(response)) <= 400
    assert is_status(json_body(response)) in (True, False)


@pytest.mark.parametrize(
    ("message", "shown"),
    [
        ("Party 256772123456 unknown", "Party ••• unknown"),
        ("FRI:256772123456/MSISDN", "•••"),
        ("x" * 500, "x" * 200),
        (17, ""),
        (None, ""),
    ],
)
def test_mtns_sentence_is_kept_short_and_without_numbers(message: object, shown: str) -> None:
    """The developer gets MTN's words, the log gets no subscriber."""
    assert error_detail(reply(500, {"message": message})) == shown


def test_fields_not_given_are_left_out() -> None:
    """MTN refuses null, so None is no field."""
    assert encode({"a": "1", "b": None, "c": False}) == b'{"a":"1","c":false}'


@pytest.mark.parametrize(
    ("body", "told"), [({"status": "NEW"}, True), ({"status": 1}, False), ({}, False), ([], False)]
)
def test_a_status_is_told_by_its_status(body: object, told: bool) -> None:
    """JSON of something else, a portal's say, is not MTN's word on a payment."""
    assert is_status(body) is told
