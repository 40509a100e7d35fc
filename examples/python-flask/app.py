"""A tiny shop: a page that asks for money, a page that tells how it went, an ear for webhooks.

pip install momokit flask, then: python app.py
"""

import json
import os
import re
import uuid
from html import escape

import httpx2
from flask import Flask, Response, abort, redirect, request

from momokit.errors import SignatureError
from momokit.webhooks import verify

WEBHOOK_SECRET = os.environ["WEBHOOK_SECRET"]
PORT = int(os.environ.get("PORT", "3000"))
ORDER_ID = re.compile(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}")
GATEWAY = httpx2.Client(
    base_url=os.environ.get("GATEWAY_URL", "http://127.0.0.1:8702"),
    headers={"Authorization": f"Bearer {os.environ['GATEWAY_KEY']}"},
    timeout=10,
)

# Your database. An order is {"payment_id", "status", "message"}.
orders = {}

app = Flask(__name__)


@app.get("/")
def shop():
    """Show the form. The order's number is made here, so that a second click is the same order."""
    return pay_page(str(uuid.uuid4()), "")


@app.post("/pay")
def pay():
    """Ask the gateway for the money."""
    order = request.form.get("order", "")
    if not ORDER_ID.fullmatch(order):
        return pay_page(str(uuid.uuid4()), "Please try again."), 400
    # Written down first: the webhook can be faster than the answer.
    orders.setdefault(order, {"payment_id": None, "status": "pending", "message": ""})
    # In a real shop the amount is the order's own, never what a browser says.
    asked = {
        "amount": request.form.get("amount", ""),
        "phone": request.form.get("phone", ""),
        "order": order,
    }
    try:
        answer = GATEWAY.post("/api/pay", json=asked, headers={"Idempotency-Key": order})
    except httpx2.HTTPError:
        answer = None
    if answer is not None and answer.status_code == 202:
        learn(order, answer.json(), "its answer")
        return redirect(f"/orders/{order}", code=303)
    if answer is not None and answer.status_code in (400, 422):
        return pay_page(order, answer.json().get("detail", "This was refused.")), 422
    # Nobody knows yet whether the payment was taken in; sending the same order again is safe, as
    # its number is the idempotency key.
    return pay_page(order, "No answer yet. Press the button again."), 503


@app.get("/orders/<order>")
def order_page(order):
    """Show the page that tells how it went."""
    if order not in orders:
        abort(404)
    return page("Your payment", STATUS.replace("ORDER", order))


@app.get("/orders/<order>/status")
def order_status(order):
    """Tell how it stands, for the page above."""
    if order not in orders:
        abort(404)
    if orders[order]["status"] == "pending" and orders[order]["payment_id"]:
        refresh(order, orders[order]["payment_id"], "asking")
    told = {name: orders[order][name] for name in ("status", "message")}
    return told, 200, {"Cache-Control": "no-store"}


@app.post("/webhooks")
def webhook():
    """Hear of news from the gateway, and ask it how the payment stands now."""
    try:
        # The bytes as they came: those are what is signed.
        told = verify(request.get_data(), request.headers, secrets=WEBHOOK_SECRET)
    except SignatureError:
        return Response("The signature does not hold.", 400)
    payment = json.loads(told.payload)["data"]
    order = payment["merchant_reference"]
    if order in orders and not refresh(order, payment["id"], "webhook"):
        return Response(status=503)  # It will come again.
    return Response(status=204)


def refresh(order, payment_id, source):
    """Ask the gateway how a payment stands; tell whether it answered."""
    try:
        answer = GATEWAY.get(f"/api/payment/{payment_id}")
    except httpx2.HTTPError:
        return False
    if answer.status_code == 200:
        learn(order, answer.json(), source)
    return answer.status_code == 200


def learn(order, payment, source):
    """Write down how a payment stands."""
    before = orders[order]["status"]
    if before != "pending" and payment["status"] == "pending":
        return  # An answer that was overtaken on its way.
    orders[order] = {
        "payment_id": payment["id"],
        "status": payment["status"],
        "message": payment["message"],
    }
    if before != payment["status"]:
        # Deliver the goods here, once: in one transaction with writing down the new status.
        print(f"order {order}: {payment['status']}, told by {source}", flush=True)


def page(title, content):
    """Make a page."""
    return f"""<!doctype html><html lang="en"><meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1"><title>{title}</title>
<h1>{title}</h1>{content}</html>"""


def pay_page(order, message):
    """Make the page with the form."""
    return page(
        "Pay with MoMo",
        f"""<p role="alert">{escape(message)}</p>
<form method="post" action="/pay">
<input type="hidden" name="order" value="{escape(order)}">
<p><label>Amount <input name="amount" inputmode="decimal" required></label></p>
<p><label>Phone <input name="phone" type="tel" autocomplete="tel" required></label></p>
<button>Pay</button></form>""",
    )


STATUS = """<p id="message" role="status">One moment…</p><p><a href="/">Back to the shop</a></p>
<script>
async function look() {
  let told = { status: "pending", message: "" };
  try { told = await (await fetch("/orders/ORDER/status")).json(); } catch { /* again */ }
  if (told.message) document.getElementById("message").textContent = told.message;
  if (told.status === "pending") setTimeout(look, 2000);
}
look();
</script>"""

if __name__ == "__main__":
    app.run(host="127.0.0.1", port=PORT)
