"""The whole surface, in both colours: every operation MTN publishes, called once."""

from __future__ import annotations

import asyncio
import json
import logging
import re
import threading
import traceback
from collections.abc import Callable
from typing import Any

import httpx2
import pytest

from momokit import AsyncClient, Client, InvalidInput, NotFound, OutcomeUnknown
from momokit.errors import AuthenticationFailed, ProviderError, Refused
from momokit.operations.exchange import StoredToken
from tests.client.catalogue import PAYER, REF, ROWS, TOKEN, Recorder
from tests.client.colours import COLOURS, QUICK, Colour, perform, settings_for
from tests.client.driving import API_KEY, API_USER, SECOND_KEY, SUBSCRIPTION_KEY


@pytest.mark.parametrize("colour", COLOURS)
@pytest.mark.parametrize("number", ROWS)
def test_every_operation_of_the_catalogue(number: str, colour: Colour) -> None:
    """Method, path, headers and body are MTN's, and the answer is read, in both colours."""
    row = ROWS[number]
    provider = Recorder(row.status, row.answer)

    value = perform(colour, row.call, handler=provider)

    (request,) = provider.seen
    assert (request.method, request.url.raw_path.decode()) == (row.method, row.path)
    headers = dict(request.headers)
    assert headers["ocp-apim-subscription-key"] == SUBSCRIPTION_KEY
    assert headers.get("authorization", "").startswith(row.opened_by)
    assert ("x-target-environment" in headers) == (row.opened_by != "")
    assert row.headers.items() <= headers.items()
    if row.method != "GET":
        assert headers["content-length"] == str(len(request.content))
    assert "cookie" not in headers
    body = request.content.decode()
    assert (json.loads(body) if body.startswith("{") else body) == (row.body or "")
    assert value is not None or number == "11"
    if request.method == "POST" and row.status == 202:
        assert value.reference_id == REF


def test_the_catalogue_is_complete() -> None:
    """Rows 1 to 34: row 1 is the token call that all others need."""
    assert {int(re.split(r"\D", number)[0]) for number in ROWS} == set(range(2, 35))


@pytest.mark.parametrize("colour", COLOURS)
def test_the_first_row_is_the_token(colour: Colour) -> None:
    """`token()` gives the bearer token as a secret."""
    provider = Recorder()
    token = perform(colour, lambda client: client.collection.token(), handler=provider)
    assert (token.reveal(), provider.tokens) == ("token-1", 1)
    assert "token-1" not in repr(token)


def test_two_hundred_threads_fetch_one_token() -> None:
    """The first calls of many threads wait for one token call."""
    provider = Recorder(200, {"availableBalance": "1"}, delay_seconds=0.05)
    errors: list[BaseException] = []
    with Client(**settings_for(transport=httpx2.MockTransport(provider))) as client:

        def work() -> None:
            try:
                client.collection.balance()
            except BaseException as error:
                errors.append(error)

        threads = [threading.Thread(target=work) for _ in range(200)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
    assert errors == []
    assert (provider.tokens, len(provider.seen)) == (1, 200)


def test_two_hundred_tasks_fetch_one_token() -> None:
    """And the first calls of many tasks."""
    provider = Recorder(200, {"availableBalance": "1"})

    async def answer(request: httpx2.Request) -> httpx2.Response:
        await asyncio.sleep(0.02)
        return provider(request)

    async def main() -> None:
        async with AsyncClient(**settings_for(transport=httpx2.MockTransport(answer))) as client:
            await asyncio.gather(*(client.collection.balance() for _ in range(200)))

    asyncio.run(main())
    assert (provider.tokens, len(provider.seen)) == (1, 200)


class SharedStore(dict[str, StoredToken]):
    """A store that is a dict, and so is falsy while empty."""

    def load(self, key: str) -> StoredToken | None:
        return self.get(key)

    def save(self, key: str, token: StoredToken | None) -> None:
        if token is not None:
            self[key] = token


class SlowStore(SharedStore):
    """The same with coroutine functions."""

    async def load(self, key: str) -> StoredToken | None:  # type: ignore[override]
        await asyncio.sleep(0)
        return self.get(key)

    async def save(self, key: str, token: StoredToken | None) -> None:  # type: ignore[override]
        await asyncio.sleep(0)
        super().save(key, token)


@pytest.mark.parametrize(
    ("colour", "store"),
    [("blocking", SharedStore), ("async", SharedStore), ("async", SlowStore)],
)
def test_two_clients_share_a_token_through_a_store(
    colour: Colour, store: type[SharedStore]
) -> None:
    """The second client finds the first one's token; an empty store is a store."""
    shared, provider = store(), Recorder(200, {"availableBalance": "1"})
    for _ in range(2):
        perform(
            colour, lambda client: client.collection.balance(), handler=provider, token_store=shared
        )
    assert (provider.tokens, len(provider.seen), len(shared)) == (1, 2, 1)


@pytest.mark.parametrize("colour", COLOURS)
def test_an_unknown_outcome_can_be_resolved(colour: Colour) -> None:
    """`resolve()` asks; "not found" is no proof; with `resend` the same request goes out again."""
    script = [
        *[httpx2.Response(503)] * 4,  # the call: POST, and three questions
        httpx2.Response(404, json={"code": "RESOURCE_NOT_FOUND"}),
        httpx2.Response(404, json={"code": "RESOURCE_NOT_FOUND"}),
        httpx2.Response(202),
        httpx2.Response(404, json={"code": "RESOURCE_NOT_FOUND"}),
    ]
    sent: list[tuple[str, str | None, bytes]] = []

    def handler(request: httpx2.Request) -> httpx2.Response:
        if request.url.path.endswith("/token/"):
            return httpx2.Response(200, json=TOKEN)
        sent.append((request.method, request.headers.get("x-reference-id"), request.content))
        return script.pop(0)

    def call(client: Any) -> Any:
        return client.disbursement.transfer(amount="5", payee=PAYER)

    async def awaited(client: Any) -> Any:
        with pytest.raises(OutcomeUnknown) as caught:
            await call(client)
        resolve: Any = caught.value.resolve
        return [await resolve(), await resolve(resend=True)], caught.value

    def blocking(client: Any) -> Any:
        with pytest.raises(OutcomeUnknown) as caught:
            call(client)
        resolve: Any = caught.value.resolve
        return [resolve(), resolve(resend=True)], caught.value

    (first, second), error = perform(
        colour, awaited if colour == "async" else blocking, handler=handler
    )
    assert (first.state, first.reference_id) == ("not_found", error.reference_id)
    assert (second.state, second.outcome) == ("accepted", None)
    posts = [entry for entry in sent if entry[0] == "POST"]
    assert len(posts) == 2
    assert set(posts) == {("POST", error.reference_id, posts[0][2])}


@pytest.mark.parametrize("colour", COLOURS)
def test_a_refused_resend_leaves_the_doubt(colour: Colour) -> None:
    """`resolve(resend=True)` that is turned away proves nothing about the first send."""
    script = [*[httpx2.Response(503)] * 4, httpx2.Response(404), httpx2.Response(403)]

    def handler(request: httpx2.Request) -> httpx2.Response:
        if request.url.path.endswith("/token/"):
            return httpx2.Response(200, json=TOKEN)
        return script.pop(0)

    async def awaited(client: Any) -> None:
        with pytest.raises(OutcomeUnknown) as caught:
            await client.disbursement.transfer(amount="5", payee=PAYER)
        resolve: Any = caught.value.resolve
        await resolve(resend=True)

    def blocking(client: Any) -> None:
        with pytest.raises(OutcomeUnknown) as caught:
            client.disbursement.transfer(amount="5", payee=PAYER)
        resolve: Any = caught.value.resolve
        resolve(resend=True)

    with pytest.raises(OutcomeUnknown):
        perform(colour, awaited if colour == "async" else blocking, handler=handler)


@pytest.mark.parametrize("colour", COLOURS)
@pytest.mark.parametrize("interruption", [KeyboardInterrupt, asyncio.CancelledError, MemoryError])
def test_an_interrupted_call_does_not_lose_its_id(
    colour: Colour, interruption: type[BaseException]
) -> None:
    """Whatever ends the call, the reference id is on the exception."""

    def handler(request: httpx2.Request) -> httpx2.Response:
        if request.url.path.endswith("/token/"):
            return httpx2.Response(200, json=TOKEN)
        raise interruption

    with pytest.raises(interruption) as caught:
        perform(
            colour,
            lambda client: client.disbursement.transfer(amount="5", payee=PAYER, reference_id=REF),
            handler=handler,
        )
    notes = "".join(traceback.format_exception(caught.value))
    assert f"transfer, reference id {REF}" in notes


@pytest.mark.parametrize("colour", COLOURS)
def test_two_401s_are_an_authentication_failure(colour: Colour) -> None:
    """One renewal, one resend with the same id and bytes, then the truth."""
    provider = Recorder(401)
    with pytest.raises(AuthenticationFailed) as caught:
        perform(
            colour,
            lambda client: client.disbursement.transfer(amount="5", payee=PAYER, reference_id=REF),
            handler=provider,
        )
    assert caught.value.reference_id == REF
    first, second = provider.seen
    assert first.content == second.content
    assert first.headers["x-reference-id"] == second.headers["x-reference-id"] == REF
    assert provider.tokens == 2


@pytest.mark.parametrize("colour", COLOURS)
def test_no_secret_leaves_through_errors_or_logs(
    colour: Colour, caplog: pytest.LogCaptureFixture
) -> None:
    """Keys, tokens and numbers are in no traceback and no log line."""

    def handler(request: httpx2.Request) -> httpx2.Response:
        if request.url.path.endswith("/token/"):
            return httpx2.Response(200, json=TOKEN)
        return httpx2.Response(500, json={"code": "NOT_ALLOWED", "message": f"no {PAYER}"})

    with caplog.at_level(logging.DEBUG, logger="momokit"), pytest.raises(Refused) as caught:
        perform(
            colour,
            lambda client: client.disbursement.transfer(amount="5", payee=PAYER),
            handler=handler,
        )
    shown = "".join(traceback.format_exception(caught.value)) + caplog.text
    shown += repr(vars(caught.value))
    for secret in (SUBSCRIPTION_KEY, SECOND_KEY, API_KEY, "token-1", PAYER):
        assert secret not in shown


@pytest.mark.parametrize("colour", COLOURS)
def test_waiting_tells_progress_to_either_kind_of_listener(colour: Colour) -> None:
    """A plain function hears in both colours, a coroutine function on the async client."""
    answers = iter(["PENDING", "SUCCESSFUL"] * 2)
    heard: list[int] = []

    def handler(request: httpx2.Request) -> httpx2.Response:
        if request.url.path.endswith("/token/"):
            return httpx2.Response(200, json=TOKEN)
        return httpx2.Response(200, json={"status": next(answers)})

    async def listen(news: Any) -> None:
        await asyncio.sleep(0)
        heard.append(news.polls)

    def plain(news: Any) -> None:
        heard.append(news.polls)

    plan = {"timeout_seconds": 5.0, "kind": "request_to_pay"}
    for listener in [plain, listen] if colour == "async" else [plain]:

        def call(client: Any, listener: Any = listener) -> Any:
            return client.wait(REF, on_progress=listener, plan=fast_plan(), **plan)

        result = perform(colour, call, handler=handler)
        assert result.state == "successful"
    assert heard == ([1, 2, 1, 2] if colour == "async" else [1, 2])


def fast_plan() -> Any:
    """A plan for impatient tests."""
    from momokit import PollPlan

    return PollPlan(first_seconds=0.01, longest_seconds=0.02)


@pytest.mark.parametrize("colour", COLOURS)
@pytest.mark.parametrize("timeout_seconds", [-1.0, float("nan"), float("inf"), 1e9])
def test_a_wait_without_an_end_is_refused(colour: Colour, timeout_seconds: float) -> None:
    """No call is without a deadline."""
    with pytest.raises(InvalidInput) as caught:
        perform(
            colour,
            lambda client: client.wait(REF, kind="transfer", timeout_seconds=timeout_seconds),
            handler=Recorder(),
        )
    assert caught.value.field == "timeout_seconds"


@pytest.mark.parametrize("colour", COLOURS)
@pytest.mark.parametrize(
    ("call", "field"),
    [
        (lambda c: c.status(REF), "kind"),
        (lambda c: c.status(REF, kind="gift"), "kind"),
        (lambda c: c.wait("order-1", kind="transfer"), "reference_id"),
        (lambda c: c.collection.request_to_pay_status("order-1"), "reference_id"),
        (lambda c: c.collection.cancel_invoice(REF), "external_id"),
        (lambda c: c.collection.cancel_invoice("1", external_id="a"), "invoice_reference_id"),
        (lambda c: c.collection.cancel_pre_approval(" "), "pre_approval_id"),
        (lambda c: c.collection.deliver_notification(REF, "it's"), "message"),
        (lambda c: c.collection.deliver_notification(REF, "x", language="e\nn"), "language"),
        (lambda c: c.collection.user_info("a\r\nb"), "consent_token"),
        (lambda c: c.collection.bc_authorize(PAYER, callback_url="x\r\n"), "callback_url"),
        (lambda c: c.collection.bc_authorize(PAYER, scope=" "), "scope"),
        (lambda c: c.collection.oauth2_token(), "auth_req_id"),
        (lambda c: c.sandbox.api_user("me"), "api_user"),
        (lambda c: c.sandbox.create_api_user(callback_host="https://x.example"), "callback_host"),
        (lambda c: c.sandbox.create_api_key(REF, subscription_key="a\nb"), "subscription_key"),
    ],
)
def test_bad_arguments_are_refused_before_anything_is_sent(
    call: Callable[[Any], Any], field: str, colour: Colour
) -> None:
    """With the argument named as the caller knows it."""
    provider = Recorder()
    with pytest.raises(InvalidInput) as caught:
        perform(colour, call, handler=provider)
    assert caught.value.field == field
    assert provider.seen == []


def test_a_client_hides_its_keys() -> None:
    """Its repr says the market and nothing else."""
    with Client(**settings_for(market="ghana")) as client:
        assert repr(client) == "Client(market='ghana')"
        assert API_USER not in repr(client)


@pytest.mark.parametrize("colour", COLOURS)
def test_not_found_keeps_its_id(colour: Colour) -> None:
    """A status of an unknown id is NotFound, with the id on it."""
    provider = Recorder(404, {"code": "RESOURCE_NOT_FOUND"})
    with pytest.raises(NotFound) as caught:
        perform(colour, lambda client: client.status(REF, kind="transfer"), handler=provider)
    error: ProviderError = caught.value
    assert (error.reference_id, error.operation) == (REF, "GetTransferStatus")
    assert QUICK.attempts == 4
