"""Every example shop sells something: through its pages, the gateway and the emulator."""

from __future__ import annotations

import json
import re
import time
from collections.abc import Iterator

import httpx2
import pytest

from momokit.webhooks import new_secret, sign

from .place import EXAMPLES, STARTS, Place, Shop, eventually, gateway_and_emulator, shop

PAYS = "46733123987"
HAS_NO_MONEY = "46733123450"


@pytest.fixture(scope="module")
def place(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Place]:
    """Run an emulator and a gateway for all the shops."""
    with gateway_and_emulator(tmp_path_factory.mktemp("place")) as found:
        yield found


@pytest.fixture(scope="module", params=sorted(STARTS))
def started(
    request: pytest.FixtureRequest, place: Place, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Shop]:
    """Run one of the shops."""
    with shop(request.param, place, tmp_path_factory.mktemp(request.param)) as found:
        yield found


@pytest.fixture
def browser(started: Shop) -> Iterator[httpx2.Client]:
    """Give somebody who looks at the shop's pages."""
    with httpx2.Client(base_url=started.url, trust_env=False, timeout=30) as client:
        yield client


def order_of(page: httpx2.Response) -> str:
    """Read the order's number from the page with the form."""
    found = re.search(r'name="order" value="([0-9a-f-]{36})"', page.text)
    assert found is not None, page.text
    return found[1]


def buy(browser: httpx2.Client, *, order: str, phone: str = PAYS, amount: str = "5") -> str:
    """Send the form, and give the address of the page that follows."""
    answer = browser.post("/pay", data={"order": order, "amount": amount, "phone": phone})
    assert answer.status_code == 303, answer.text
    return answer.headers["Location"]


def webhook(payload: bytes, *, secret: str, age_seconds: int = 0) -> dict[str, str]:
    """Give the headers of a webhook."""
    stamp = int(time.time()) - age_seconds
    return sign(payload, secrets=secret, message_id="evt_1", timestamp_seconds=stamp)


def test_a_purchase_is_told_by_webhook_and_shown(started: Shop, browser: httpx2.Client) -> None:
    """The payer sends the form; the webhook comes, the shop asks the gateway, and its page says."""
    order = order_of(browser.get("/"))
    where = buy(browser, order=order)
    told = started.has_printed(f"order {order}: successful, told by webhook")
    page = browser.get(where)
    status = browser.get(f"{where}/status").json()

    assert told, started.printed.read_text()
    assert (where, page.status_code) == (f"/orders/{order}", 200)
    assert f"/orders/{order}/status" in page.text
    assert status == {"status": "successful", "message": "Thank you, your payment was received."}


def test_a_payment_that_fails_is_said_to_have_failed(started: Shop, browser: httpx2.Client) -> None:
    """The page learns it by asking; the sentence is the gateway's."""
    where = buy(browser, order=order_of(browser.get("/")), phone=HAS_NO_MONEY)

    def look() -> bool:
        return bool(browser.get(f"{where}/status").json()["status"] != "pending")

    assert eventually(look)
    told = browser.get(f"{where}/status").json()
    assert told["status"] == "failed"
    assert told["message"] != ""


def test_two_clicks_make_one_payment(started: Shop, browser: httpx2.Client, place: Place) -> None:
    """The same form sent twice leads to one page, and to one payment."""
    order = order_of(browser.get("/"))
    pages = [buy(browser, order=order, amount="7") for _ in range(2)]
    reader = place.operate("keys", "create", "reader", "--scope", "read")["key"]
    answer = httpx2.get(
        f"{place.gateway_url}/v1/payments",
        params={"merchant_reference": order},
        headers={"Authorization": f"Bearer {reader}"},
        trust_env=False,
    )

    assert pages == [f"/orders/{order}"] * 2
    assert [one["amount"] for one in answer.json()["items"]] == ["7"]


def test_a_refusal_is_shown_on_the_form(browser: httpx2.Client) -> None:
    """A telephone number that is none is told to the payer, who keeps the same order."""
    order = order_of(browser.get("/"))
    answer = browser.post("/pay", data={"order": order, "amount": "5", "phone": "<b>nobody</b>"})

    assert answer.status_code == 422
    assert order_of(answer) == order
    assert "<b>nobody" not in answer.text
    assert '<p role="alert"></p>' not in answer.text


def test_an_order_that_the_shop_did_not_make_is_refused(browser: httpx2.Client) -> None:
    """What goes into the shop's database has the form of an order's number."""
    form = {"order": "../../etc/passwd", "amount": "5", "phone": PAYS}
    strange, unknown = browser.post("/pay", data=form), browser.get("/orders/nothing/status")

    assert (strange.status_code, unknown.status_code) == (400, 404)


def test_webhooks_that_are_not_the_gateways_are_refused(
    started: Shop, browser: httpx2.Client
) -> None:
    """Neither another secret, nor another body, nor an old webhook, nor no signature gets in."""
    body = json.dumps({"data": {"id": "pay_1", "merchant_reference": "none"}}).encode()
    ours = started.webhook_secret
    asked = {
        "genuine": (body, webhook(body, secret=ours)),
        "another secret": (body, webhook(body, secret=new_secret())),
        "another body": (body + b" ", webhook(body, secret=ours)),
        "old": (body, webhook(body, secret=ours, age_seconds=600)),
        "unsigned": (body, {}),
    }
    codes = {
        name: browser.post(
            "/webhooks", content=content, headers={**headers, "Content-Type": "application/json"}
        ).status_code
        for name, (content, headers) in asked.items()
    }

    assert codes == {name: 204 if name == "genuine" else 400 for name in asked}


def test_a_webhook_signed_with_two_secrets_is_taken(started: Shop, browser: httpx2.Client) -> None:
    """While the secret is being changed, either signature is enough."""
    body = json.dumps({"data": {"id": "pay_1", "merchant_reference": "none"}}).encode()
    headers = sign(
        body, secrets=[new_secret(), started.webhook_secret], message_id="evt_2",
        timestamp_seconds=int(time.time()),
    )  # fmt: skip

    assert browser.post("/webhooks", content=body, headers=headers).status_code == 204


def test_every_example_is_tried() -> None:
    """A folder of examples that no test starts would rot."""
    assert sorted(path.name for path in EXAMPLES.iterdir() if path.is_dir()) == sorted(STARTS)


def test_the_node_shop_sells_on_the_gateways_page(
    place: Place, tmp_path_factory: pytest.TempPathFactory
) -> None:
    """It sends the payer to a checkout, the payer pays there, and the shop hears of it."""
    with (
        shop("node-express", place, tmp_path_factory.mktemp("checkout")) as started,
        httpx2.Client(base_url=started.url, trust_env=False, timeout=30) as browser,
    ):
        order = order_of(browser.get("/"))
        sent = browser.post("/checkout", data={"order": order, "amount": "5"})
        again = browser.post("/checkout", data={"order": order, "amount": "5"})
        page = sent.headers["Location"]
        shown = browser.get(page)
        paid = browser.post(page, data={"attempt": "0", "phone": "46733123986"})
        status = f"/orders/{order}/status"
        heard = eventually(lambda: browser.get(status).json()["status"] == "successful")

    assert (sent.status_code, again.headers["Location"]) == (303, page)
    assert f"/orders/{order}" not in page
    assert "Your MTN MoMo number" in shown.text
    assert paid.status_code == 303
    assert heard
