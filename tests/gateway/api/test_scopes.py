"""Keys and what they open: the matrix of scopes, and accounts that do not see each other."""

from __future__ import annotations

import pytest

from momokit.gateway.api.callers import _ALL, SHOP, authenticate_by
from momokit.gateway.keys import SCOPES
from momokit.gateway.store.accounts import revoke_key
from tests.gateway.api.making import GHANA, MSISDN, PHONE, UGANDA, Shop, order

pytestmark = pytest.mark.anyio

BILL = {"account": UGANDA, "amount": "1"}
# method, path, body -> the scopes that open it. {id} is a payment of an administrator's.
MATRIX: list[tuple[str, str, object, set[str]]] = [
    ("POST", "/v1/payments", order(), {"collect"}),
    ("POST", "/v1/payments", order(kind="withdraw"), {"collect"}),
    ("POST", "/v1/payments", order(kind="transfer"), {"disburse"}),
    ("POST", "/v1/payments", order(kind="deposit"), {"disburse"}),
    ("POST", "/v1/payments", order(kind="refund", original_payment_id="pay_1"), {"disburse"}),
    ("POST", "/v1/payments", order(kind="payment", party=None), {"disburse"}),
    ("POST", "/v1/payments", order(kind="invoice", invoice={"payee": PHONE}), {"collect"}),
    ("POST", "/v1/invoices", BILL, {"collect"}),
    ("GET", "/v1/invoices", None, {"read", "collect", "disburse"}),
    ("GET", "/v1/invoices/none", None, {"read", "collect", "disburse"}),
    ("GET", "/v1/invoices/none/timeline", None, {"read", "collect", "disburse"}),
    ("POST", "/v1/invoices/none/send", {}, {"collect"}),
    ("POST", "/v1/invoices/none/remind", None, {"collect"}),
    ("POST", "/v1/invoices/none/cancel", None, {"collect"}),
    ("POST", "/v1/checkouts", BILL, {"collect"}),
    ("GET", "/v1/checkouts", None, {"read", "collect", "disburse"}),
    ("GET", "/v1/checkouts/none", None, {"read", "collect", "disburse"}),
    ("POST", "/v1/checkouts/none/cancel", None, {"collect"}),
    ("POST", "/v1/payment-links", BILL, {"collect"}),
    ("GET", "/v1/payment-links", None, {"read", "collect", "disburse"}),
    ("GET", "/v1/payment-links/none", None, {"read", "collect", "disburse"}),
    ("POST", "/v1/payment-links/none/cancel", None, {"collect"}),
    ("POST", "/v1/pre-approvals", {"account": UGANDA, "party": PHONE}, {"collect"}),
    ("POST", "/v1/payments/{id}/refunds", {"amount": "1"}, {"disburse"}),
    ("POST", "/v1/payments/{id}/cancel", None, {"collect", "disburse"}),
    ("GET", "/v1/payments", None, {"read", "collect", "disburse"}),
    ("GET", "/v1/payments/{id}", None, {"read", "collect", "disburse"}),
    ("GET", "/v1/payments/{id}/timeline", None, {"read", "collect", "disburse"}),
    ("GET", "/v1/payments?reveal=true", None, set()),
    *(
        ("GET", path, None, {"read", "disburse", "approve"})
        for path in (
            "/v1/batches",
            "/v1/batches/template",
            "/v1/batches/none",
            "/v1/batches/none/rows",
            "/v1/batches/none/history",
        )
    ),
    *(
        ("GET", f"/v1/batches/none/{what}", None, {"disburse", "approve"})
        for what in ("report", "results", "receipts", "receipts/1")
    ),
    ("POST", "/v1/batches", None, {"disburse"}),
    ("PATCH", "/v1/batches/none/rows/1", {}, {"disburse"}),
    *(
        ("POST", f"/v1/batches/none/{what}", {}, {"disburse"})
        for what in ("submit", "withdraw", "recheck", "retry-failed")
    ),
    *(
        ("POST", f"/v1/batches/none/{what}", {"hash": "h", "because": "drill"}, {"approve"})
        for what in ("override", "approve", "reject")
    ),
    *(
        ("POST", f"/v1/batches/none/{what}", {"because": "drill"}, {"disburse", "approve"})
        for what in ("pause", "resume", "cancel")
    ),
    ("POST", "/v1/statements", None, {"reconcile"}),
    ("POST", "/v1/statements/try", None, {"reconcile"}),
    ("GET", "/v1/statements", None, {"read", "reconcile"}),
    ("GET", "/v1/statements/none", None, {"read", "reconcile"}),
    ("GET", "/v1/discrepancies", None, {"read", "reconcile"}),
    ("GET", "/v1/discrepancies/1", None, {"read", "reconcile"}),
    ("PATCH", "/v1/discrepancies/1", {}, {"reconcile"}),
    ("POST", "/v1/discrepancies/1/propose", {}, {"reconcile"}),
    ("POST", "/v1/discrepancies/1/close", {}, {"reconcile"}),
    ("POST", "/v1/discrepancies/1/reopen", {}, {"reconcile"}),
    ("POST", "/v1/reconciliation/run", None, {"reconcile"}),
    ("POST", "/v1/reconciliation/audit", {"day": "2026-01-01"}, {"reconcile"}),
    ("POST", "/v1/reconciliation/balance", None, {"reconcile"}),
    ("GET", "/v1/reconciliation/export/journal", None, {"read", "reconcile"}),
    ("GET", "/v1/reconciliation/profiles", None, {"read", "reconcile"}),
    ("GET", "/v1/reconciliation/profiles/uganda", None, {"read", "reconcile"}),
    ("PUT", "/v1/reconciliation/profiles/uganda", {}, {"reconcile"}),
    ("GET", "/v1/reconciliation/ledger-codes", None, {"read", "reconcile"}),
    ("PUT", "/v1/reconciliation/ledger-codes", {}, {"reconcile"}),
    ("GET", "/v1/accounts", None, {"read", "collect", "disburse"}),
    ("GET", "/v1/money", None, set()),
    ("POST", "/v1/money/stop", {"because": "drill"}, set()),
    ("POST", "/v1/money/resume", {"because": "drill"}, set()),
    ("GET", "/v1/accounts/nobody/balance", None, {"read"}),
    ("POST", "/v1/accounts/nobody/holders/check", {"party": "1"}, {"read", "collect", "disburse"}),
    ("GET", "/v1/webhook-endpoints", None, {"webhooks"}),
    ("POST", "/v1/webhook-endpoints", {"url": "https://a.example"}, {"webhooks"}),
    ("GET", "/v1/webhook-endpoints/none", None, {"webhooks"}),
    ("PATCH", "/v1/webhook-endpoints/none", {}, {"webhooks"}),
    ("DELETE", "/v1/webhook-endpoints/none", None, {"webhooks"}),
    ("POST", "/v1/webhook-endpoints/none/secret", {}, {"webhooks"}),
    ("GET", "/v1/webhook-deliveries", None, {"webhooks", "read"}),
    ("POST", "/v1/webhook-deliveries/1/replay", None, {"webhooks"}),
    ("POST", "/api/pay", {"amount": "1", "phone": PHONE}, {"shop", "collect"}),
    ("POST", "/api/checkout", {"amount": "1"}, {"shop", "collect"}),
    ("GET", "/api/payment/{id}", None, {"shop", "collect", "read"}),
]


async def test_the_matrix_of_scopes(shop: Shop) -> None:
    """Each route opens to the scopes it names and to admin, and answers 403 to all others."""
    admin = await shop.key("admin")
    payment_id = (await admin.pay("first", amount="77")).json()["id"]
    callers = {scope: await shop.key(scope) for scope in SCOPES}
    for number, (method, path, body, opens_to) in enumerate(MATRIX):
        for scope, caller in callers.items():
            answer = await caller.ask(
                method, path.replace("{id}", payment_id), body, key=f"{number}{scope}"
            )
            allowed = scope in opens_to or (scope == "admin" and opens_to != {SHOP})
            assert (answer.status_code != 403) == allowed, (method, path, scope, answer.text)


async def test_every_route_is_in_the_matrix(shop: Shop) -> None:
    """No route is left out of the matrix above, except those that are open to all."""
    told = {(method, path.partition("?")[0]) for method, path, _, _ in MATRIX}
    routes = {
        (method, route.path_format)
        for route in shop.api.routes
        for handler in getattr(route, "route_handlers", [])
        for method in handler.http_methods
        if handler.opt.get("scopes") is not None
    }
    wanted = {(method, _shape(path)) for method, path in routes}
    assert wanted == {(method, _shape(path)) for method, path in told}


async def test_only_these_routes_are_open_to_all(shop: Shop) -> None:
    """What needs no key is a short list."""
    open_routes = {
        route.path_format
        for route in shop.api.routes
        for handler in getattr(route, "route_handlers", [])
        if handler.opt.get("scopes") is None and handler.http_methods != {"OPTIONS"}
    }
    pages = {"/openapi.json", "/docs", "/docs/{path}", "/docs/openapi.json"}
    assert open_routes == {"/healthz", "/readyz", "/cb/{token}"} | pages


@pytest.mark.parametrize("header", ["", "Bearer", "Bearer  ", "Basic abc", "Bearer mk_test_no"])
async def test_no_valid_key_is_a_401(shop: Shop, header: str) -> None:
    """Without a valid key every guarded route answers 401 and says how to send one."""
    for method, path, body, _ in MATRIX:
        answer = await shop.http.request(
            method, path.replace("{id}", "x"), json=body, headers={"Authorization": header}
        )
        assert answer.status_code == 401, (method, path)
        assert answer.headers["www-authenticate"] == "Bearer"


async def test_a_key_that_is_over_opens_nothing(shop: Shop) -> None:
    """A key that was never valid, or has expired, answers 401."""
    expired = await shop.key("read", lifetime_seconds=-1.0)
    assert (await expired.get("/v1/payments")).status_code == 401


async def test_a_revoked_key_is_out_when_what_was_known_of_it_is_old(shop: Shop) -> None:
    """A key serves from memory for two seconds; after that the store is asked, and it is out."""
    now = [100.0]
    authenticate = authenticate_by(shop.store, kept_seconds=2.0, clock=lambda: now[0])
    caller = await shop.key("admin")
    before = await authenticate(caller.text)
    await shop.store.write(lambda t: revoke_key(t, caller.key_id))
    now[0] += 1.9
    meanwhile = await authenticate(caller.text)
    now[0] += 0.1
    after = await authenticate(caller.text)
    assert before is not None
    assert before.key_id == caller.key_id
    assert "disburse" in before.scopes
    assert (meanwhile, after) == (before, None)


async def test_keys_of_two_accounts_do_not_see_each_other(shop: Shop) -> None:
    """A key that is bound to an account sees and moves nothing of another one."""
    uganda = await shop.key("admin", account=UGANDA)
    ghana = await shop.key("admin", account=GHANA)
    made = (await uganda.pay("k", account=None)).json()
    payment_id = made["id"]
    assert made["account_id"] == shop.account_ids[UGANDA]
    endpoint = (
        await uganda.ask("POST", "/v1/webhook-endpoints", {"url": "https://a.example/x"})
    ).json()
    paths = [
        ("GET", f"/v1/payments/{payment_id}", None),
        ("GET", f"/v1/payments/{payment_id}/timeline", None),
        ("POST", f"/v1/payments/{payment_id}/cancel", None),
        ("POST", f"/v1/payments/{payment_id}/refunds", {"amount": "1"}),
        ("GET", f"/api/payment/{payment_id}", None),
        ("GET", f"/v1/payments?account={UGANDA}", None),
        ("GET", f"/v1/accounts/{UGANDA}/balance", None),
        ("POST", f"/v1/accounts/{UGANDA}/holders/check", {"party": MSISDN}),
        ("GET", f"/v1/webhook-endpoints/{endpoint['id']}", None),
        ("PATCH", f"/v1/webhook-endpoints/{endpoint['id']}", {"enabled": False}),
        ("DELETE", f"/v1/webhook-endpoints/{endpoint['id']}", None),
        ("GET", f"/v1/webhook-deliveries?endpoint_id={endpoint['id']}", None),
        ("GET", f"/v1/webhook-deliveries?payment_id={payment_id}", None),
        ("POST", "/v1/payments", order(account=UGANDA)),
    ]
    for method, path, body in paths:
        answer = await ghana.ask(method, path, body, key="g")
        assert answer.status_code == 404, (method, path, answer.text)
    reference = made["reference_id"]
    assert (await ghana.get("/v1/payments")).json()["items"] == []
    assert (await ghana.get(f"/v1/payments?reference_id={reference}")).json()["items"] == []
    accounts = (await ghana.get("/v1/accounts")).json()["items"]
    assert [account["name"] for account in accounts] == [GHANA]
    assert (await ghana.get("/v1/webhook-endpoints")).json()["items"] == []


async def test_a_key_without_read_sees_what_it_made(shop: Shop) -> None:
    """Without the scope read a key knows of its own payments and of no others."""
    one, two, reader = await shop.key("collect"), await shop.key("collect"), await shop.key("read")
    payment_id = (await one.pay("k")).json()["id"]
    assert (await one.get(f"/v1/payments/{payment_id}")).status_code == 200
    assert (await two.get(f"/v1/payments/{payment_id}")).status_code == 404
    assert (await two.get("/v1/payments")).json()["items"] == []
    assert len((await reader.get("/v1/payments")).json()["items"]) == 1


async def test_a_number_in_full_needs_admin_and_asking(shop: Shop) -> None:
    """The party is masked for everyone; an administrator who asks sees it in plain."""
    admin, reader = await shop.key("admin"), await shop.key("read", "collect")
    payment_id = (await admin.pay("k")).json()["id"]
    paths = ["/v1/payments", f"/v1/payments/{payment_id}", f"/v1/payments/{payment_id}/timeline"]
    for path in paths:
        assert MSISDN not in (await admin.get(path)).text
        assert MSISDN not in (await reader.get(path)).text
        assert MSISDN in (await admin.get(f"{path}?reveal=true")).text
        assert (await reader.get(f"{path}?reveal=true")).status_code == 403


def test_admin_stands_for_all_but_shop() -> None:
    """The scopes of the keys and those of the API are the same words."""
    assert _ALL | {SHOP} == set(SCOPES)


def _shape(path: str) -> str:
    parts = path.strip("/").split("/")
    fixed = {
        "v1", "api", "payments", "payment", "invoices", "pre-approvals", "refunds", "cancel",
        "timeline", "accounts", "balance", "holders", "check", "webhook-endpoints", "secret",
        "webhook-deliveries", "replay", "pay", "batches", "template", "rows", "history", "report",
        "results", "receipts", "submit", "withdraw", "recheck", "retry-failed", "override",
        "approve", "reject", "pause", "resume",
    }  # fmt: skip
    return "/".join(part if part in fixed else "*" for part in parts)
