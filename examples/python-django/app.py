"""A tiny shop: a page that asks for money, a page that tells how it went, an ear for webhooks.

pip install momokit django, then: python app.py
"""

import json
import os
import re
import uuid
from html import escape

import httpx2
from django.conf import settings
from django.core.management import execute_from_command_line
from django.core.wsgi import get_wsgi_application
from django.http import HttpResponse, HttpResponseRedirect, JsonResponse
from django.urls import path
from django.views.decorators.http import require_GET, require_POST

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

if not settings.configured:
    settings.configure(
        ALLOWED_HOSTS=["127.0.0.1", "localhost"],
        ROOT_URLCONF=__name__,
        # Of use for sessions, which this shop has not.
        SECRET_KEY=os.environ.get("DJANGO_SECRET_KEY") or uuid.uuid4().hex,
        # The webhook carries a signature instead of a CSRF token; a shop with sessions has the
        # middleware, and csrf_exempt on the webhook alone.
        MIDDLEWARE=["django.middleware.common.CommonMiddleware"],
    )


class SeeOther(HttpResponseRedirect):
    """After a form: go and look there."""

    status_code = 303


@require_GET
def shop(_request):
    """Show the form. The order's number is made here, so that a second click is the same order."""
    return HttpResponse(pay_page(str(uuid.uuid4()), ""))


@require_POST
def pay(request):
    """Ask the gateway for the money."""
    order = request.POST.get("order", "")
    if not ORDER_ID.fullmatch(order):
        return HttpResponse(pay_page(str(uuid.uuid4()), "Please try again."), status=400)
    # Written down first: the webhook can be faster than the answer.
    orders.setdefault(order, {"payment_id": None, "status": "pending", "message": ""})
    # In a real shop the amount is the order's own, never what a browser says.
    asked = {
        "amount": request.POST.get("amount", ""),
        "phone": request.POST.get("phone", ""),
        "order": order,
    }
    try:
        answer = GATEWAY.post("/api/pay", json=asked, headers={"Idempotency-Key": order})
    except httpx2.HTTPError:
        answer = None
    if answer is not None and answer.status_code == 202:
        learn(order, answer.json(), "its answer")
        return SeeOther(f"/orders/{order}")
    if answer is not None and answer.status_code in (400, 422):
        why = answer.json().get("detail", "This was refused.")
        return HttpResponse(pay_page(order, why), status=422)
    # Nobody knows yet whether the payment was taken in; sending the same order again is safe, as
    # its number is the idempotency key.
    return HttpResponse(pay_page(order, "No answer yet. Press the button again."), status=503)


@require_GET
def order_page(_request, order):
    """Show the page that tells how it went."""
    if order not in orders:
        return HttpResponse("There is no such order.", status=404)
    return HttpResponse(page("Your payment", STATUS.replace("ORDER", order)))


@require_GET
def order_status(_request, order):
    """Tell how it stands, for the page above."""
    if order not in orders:
        return HttpResponse("There is no such order.", status=404)
    if orders[order]["status"] == "pending" and orders[order]["payment_id"]:
        refresh(order, orders[order]["payment_id"], "asking")
    told = {name: orders[order][name] for name in ("status", "message")}
    return JsonResponse(told, headers={"Cache-Control": "no-store"})


@require_POST
def webhook(request):
    """Hear of news from the gateway, and ask it how the payment stands now."""
    try:
        # The bytes as they came: those are what is signed.
        told = verify(request.body, request.headers, secrets=WEBHOOK_SECRET)
    except SignatureError:
        return HttpResponse("The signature does not hold.", status=400)
    payment = json.loads(told.payload)["data"]
    order = payment["merchant_reference"]
    if order in orders and not refresh(order, payment["id"], "webhook"):
        return HttpResponse(status=503)  # It will come again.
    return HttpResponse(status=204)


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

urlpatterns = [
    path("", shop),
    path("pay", pay),
    path("orders/<order>", order_page),
    path("orders/<order>/status", order_status),
    path("webhooks", webhook),
]

if __name__ == "__main__":
    execute_from_command_line(["app.py", "runserver", "--noreload", f"127.0.0.1:{PORT}"])
else:
    application = get_wsgi_application()
