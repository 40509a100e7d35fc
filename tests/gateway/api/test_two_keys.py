"""Two keys, every operation: what one application made, another neither sees nor moves.

The operations are those of the matrix of scopes, in which no route can be left out; whatever an
address names is here a thing of somebody else's.
"""

from __future__ import annotations

import re
from typing import Any

import httpx2
import pytest

from momokit.gateway.core.facts import Taken, Told
from momokit.gateway.keys import rotate_key
from momokit.gateway.store.deliveries import list_deliveries
from tests.gateway.api.making import GHANA, UGANDA, Caller, Shop, order
from tests.gateway.api.test_scopes import MATRIX

pytestmark = pytest.mark.anyio

REFERENCE = "order-of-uganda"
# What is the same for all, or speaks of no thing of an account's.
ELSEWHERE = ("/v1/batches/template", "/v1/statements/try", "/v1/reconciliation/")
BATCH = b"Phone,Amount,Name\n0772345611,1000,Ama\n"
STATEMENT = (
    b"Date,Financial Transaction ID,External ID,Type,From,To,Amount,Fee,Balance,Currency,Status\n"
    b"2026-11-02 10:00:00,778899001,none-of-ours,Payment,FRI:256772345611/MSISDN,"
    b"FRI:shop.sp/USER,1000,0,1000,UGX,Successful\n"
)
THINGS = {
    r"/v1/payments/[^/]+|/api/payment/[^/]+": "payment",
    r"/v1/invoices/[^/]+": "invoice",
    r"/v1/checkouts/[^/]+": "checkout",
    r"/v1/payment-links/[^/]+": "link",
    r"/v1/webhook-endpoints/[^/]+": "endpoint",
    r"/v1/webhook-deliveries/\d+": "delivery",
    r"/v1/accounts/[^/]+": "account",
    r"/v1/batches/none": "batch",
    r"/v1/statements/none": "statement",
    r"/v1/discrepancies/\d+": "discrepancy",
}
OWN = ("payment", "invoice", "checkout", "link")


async def furnish(shop: Shop) -> dict[str, str]:
    """Let an application of Uganda's make one of everything; give what each is known by."""
    uganda = await shop.key("admin", account=UGANDA)
    hook = {"url": "https://a.example/x"}
    endpoint = (await uganda.ask("POST", "/v1/webhook-endpoints", hook)).json()["id"]
    made: dict[str, str] = {"endpoint": endpoint, "account": UGANDA}
    bill = {"amount": "10"}
    bodies: dict[str, tuple[str, dict[str, Any]]] = {
        "payment": ("/v1/payments", order(account=None, merchant_reference=REFERENCE)),
        "invoice": ("/v1/invoices", bill),
        "checkout": ("/v1/checkouts", bill),
        "link": ("/v1/payment-links", bill),
    }
    for name, (path, body) in bodies.items():
        answer = await uganda.ask("POST", path, body, key=name)
        assert answer.status_code in (201, 202), answer.text
        made[name] = answer.json()["id"]
    for fact in (Taken(), Told(status="SUCCESSFUL")):
        await shop.learn(made["payment"], fact)
    found = await shop.store.read(lambda t: list_deliveries(t, payment_id=made["payment"]))
    return made | {"delivery": str(found[0].id)} | await furnish_files(shop, uganda)


async def furnish_files(shop: Shop, uganda: Caller) -> dict[str, str]:
    """Send in a batch, and a statement with a line that no payment of ours explains."""
    headers = {"Authorization": f"Bearer {uganda.text}", "Idempotency-Key": "files"}
    batch = await shop.http.post("/v1/batches?label=pay", content=BATCH, headers=headers)
    assert batch.status_code in (201, 202), batch.text
    statement = await shop.http.post(
        "/v1/statements?filename=s.csv", content=STATEMENT, headers=headers
    )
    assert statement.status_code == 201, statement.text
    queue = (await uganda.get("/v1/discrepancies")).json()["items"]
    return {
        "batch": batch.json()["id"],
        "statement": statement.json()["id"],
        "discrepancy": str(queue[0]["id"]),
    }


def aimed(path: str, made: dict[str, str]) -> tuple[str, str | None]:
    """Put somebody else's thing into an address; say which it is, if it names one."""
    for pattern, name in THINGS.items():
        found = re.match(f"({pattern})(?=$|[/?])", path)
        if found is not None:
            root = found[0].rpartition("/")[0]
            return f"{root}/{made[name]}{path[found.end() :]}", name
    return path, None


def told_of(answer: httpx2.Response, made: dict[str, str], shop: Shop) -> list[str]:
    """Name the things of somebody else's that an answer speaks of."""
    ids = {
        name: one
        for name, one in made.items()
        if name not in ("account", "delivery", "discrepancy")
    }
    ids |= {"reference": REFERENCE, "account": shop.account_ids[UGANDA]}
    return [name for name, one in ids.items() if one in answer.text]


async def test_a_key_of_another_account_gets_nothing(shop: Shop) -> None:
    """Whatever a key bound to Ghana asks about a thing of Uganda's, there is no such thing."""
    made = await furnish(shop)
    ghana = await shop.key("admin", account=GHANA)
    asked = missing = 0
    for number, (method, path, body, _) in enumerate(MATRIX):
        address, name = aimed(path.replace("{id}", "x"), made)
        answer = await ghana.ask(method, address, body, key=f"k-{number}")
        assert told_of(answer, made, shop) == [], (method, address)
        if name is not None:
            asked += 1
            # What is wrong with the request itself is said of whatever is named, there or not.
            absent = await ghana.ask(method, path.replace("{id}", "x"), body, key=f"a-{number}")
            refused = (answer.status_code, answer.json().get("field"))
            assert refused == (absent.status_code, absent.json().get("field")), (method, address)
            assert answer.status_code in (400, 404), (method, address, answer.text)
            missing += answer.status_code == 404
    assert (asked >= 40, missing >= 32) == (True, True), (asked, missing)


@pytest.mark.parametrize("scope", ["collect", "disburse", "shop"])
async def test_a_key_without_read_gets_nothing_that_it_did_not_make(shop: Shop, scope: str) -> None:
    """Bound to the same account or to none, it neither reads, nor moves, nor gives back others'."""
    made = await furnish(shop)
    for caller in (await shop.key(scope, account=UGANDA), await shop.key(scope)):
        for number, (method, path, body, _) in enumerate(MATRIX):
            address, name = aimed(path.replace("{id}", "x"), made)
            if name not in OWN:
                continue
            answer = await caller.ask(method, address, body, key=f"k-{number}-{caller.key_id}")
            assert answer.status_code in (403, 404), (method, address, answer.text)
            assert told_of(answer, made, shop) == [], (method, address)


async def test_no_operation_with_an_address_is_left_out() -> None:
    """Each address of the matrix that names a thing is aimed at one, but for a short list."""
    made = dict.fromkeys([*THINGS.values()], "x")
    named = [path for _, path, _, _ in MATRIX if "none" in path or "{id}" in path]
    left = [path for path in named if aimed(path.replace("{id}", "x"), made)[1] is None]
    assert [path for path in left if not path.startswith(ELSEWHERE)] == []


async def test_a_refund_of_what_another_key_made_is_of_something_unknown(shop: Shop) -> None:
    """By either way of asking for it."""
    made = await furnish(shop)
    caller = await shop.key("disburse", account=UGANDA)
    body = order(kind="refund", account=None, party=None, original_payment_id=made["payment"])
    answers = [
        await caller.ask("POST", "/v1/payments", body, key="a"),
        await caller.ask(
            "POST", f"/v1/payments/{made['payment']}/refunds", {"amount": "1"}, key="b"
        ),
    ]
    assert [one.json()["code"] for one in answers] == ["original_unknown", "not_found"]


async def test_an_idempotency_key_of_another_application_shows_nothing(shop: Shop) -> None:
    """Where two share an account a key that is taken is taken, and tells nothing of the payment."""
    first, second = [await shop.key("collect", account=UGANDA) for _ in range(2)]
    payment_id = (await first.pay("k", account=None)).json()["id"]
    same = await second.pay("k", account=None)
    other = await second.pay("k", account=None, amount="6")
    reader = await shop.key("collect", "read", account=UGANDA)
    shown = await reader.pay("k", account=None)

    assert [one.json()["code"] for one in (same, other)] == ["idempotency_mismatch"] * 2
    assert [payment_id in one.text for one in (same, other, shown)] == [False, False, True]


async def test_keys_that_are_bound_to_no_account_share_no_idempotency_keys(shop: Shop) -> None:
    """Two applications may number their requests alike."""
    callers = [await shop.key("collect") for _ in range(2)]
    made = [await one.pay("k", allow_duplicate=True) for one in callers]

    assert [one.status_code for one in made] == [202, 202]
    assert len({one.json()["id"] for one in made}) == 2


@pytest.mark.parametrize("account", [None, UGANDA])
async def test_after_a_rotation_payments_and_retries_are_its_own(
    shop: Shop, account: str | None
) -> None:
    """The new key repeats and sees what the old one made, though it may see nothing else."""
    old = await shop.key("collect", account=account)
    made = (await old.pay("k")).json()["id"]
    new = old
    for _ in range(2):
        turned = await shop.store.write(lambda t, one=new: rotate_key(t, one.key_id))
        new = Caller(shop, turned.text.reveal(), turned.key.id)
    again = await new.pay("k")
    seen = (await new.get("/v1/payments")).json()["items"]

    assert (again.status_code, again.json()["id"]) == (202, made)
    assert again.headers["idempotency-replayed"] == "true"
    assert [one["id"] for one in seen] == [made]


async def test_a_webhooks_key_sends_again_what_goes_to_its_endpoints(shop: Shop) -> None:
    """It may do so for the endpoints it may set, and looks up no payments."""
    made = await furnish(shop)
    path = f"/v1/webhook-deliveries/{made['delivery']}/replay"
    own, foreign = [await shop.key("webhooks", account=name) for name in (UGANDA, GHANA)]
    listed = f"/v1/webhook-deliveries?payment_id={made['payment']}"

    assert (await own.ask("POST", path)).status_code == 202
    assert (await foreign.ask("POST", path)).status_code == 404
    assert (await own.get(listed)).status_code == 404
    assert (
        await own.get(f"/v1/webhook-deliveries?endpoint_id={made['endpoint']}")
    ).status_code == 200
