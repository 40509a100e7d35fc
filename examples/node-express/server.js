// A tiny shop: a page that asks for money, a page that tells how it went, and an ear for webhooks.
"use strict";

const crypto = require("node:crypto");
const express = require("express");

const GATEWAY_URL = (process.env.GATEWAY_URL || "http://127.0.0.1:8702").replace(/\/+$/, "");
const GATEWAY_KEY = wanted("GATEWAY_KEY");
const WEBHOOK_SECRET = wanted("WEBHOOK_SECRET");
const PORT = Number(process.env.PORT || 3000);

const TOLERANCE_SECONDS = 300;
const GATEWAY_TIMEOUT_MS = 10_000;
const ORDER_ID = /^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/;

// Your database. An order is {paymentId, status, message}.
const orders = new Map();

const app = express();
app.disable("x-powered-by");

app.get("/", (_request, response) => {
  // The order's number is made before anything is sent, so that a second click is the same order.
  response.send(payPage(crypto.randomUUID(), ""));
});

app.post("/pay", express.urlencoded({ extended: false }), async (request, response) => {
  const { order, amount, phone } = request.body || {};
  if (!ORDER_ID.test(order || "")) {
    response.status(400).send(payPage(crypto.randomUUID(), "Please try again."));
    return;
  }
  // Written down first: the webhook can be faster than the answer.
  if (!orders.has(order)) {
    orders.set(order, { paymentId: null, status: "pending", message: "" });
  }
  // In a real shop the amount is the order's own, never what a browser says.
  const answer = await ask("POST", "/api/pay", { order, body: { amount, phone, order } });
  if (answer.status === 202) {
    learn(order, answer.body, "its answer");
    response.redirect(303, `/orders/${order}`);
    return;
  }
  // 400 and 422 are refusals, and say why. Otherwise nobody knows yet whether the payment was taken in;
  // sending the same order again is safe, as its number is the idempotency key.
  const refused = answer.status === 400 || answer.status === 422;
  const why = refused ? answer.body.detail : "No answer yet. Press the button again.";
  response.status(refused ? 422 : 503).send(payPage(order, why || "This was refused."));
});

// The same sale on the gateway's own page: it asks for the number, follows the payment and gives
// the receipt. The shop has only to send the payer there, and to hear the webhook.
app.post("/checkout", express.urlencoded({ extended: false }), async (request, response) => {
  const { order, amount } = request.body || {};
  if (!ORDER_ID.test(order || "")) {
    response.status(400).send(payPage(crypto.randomUUID(), "Please try again."));
    return;
  }
  if (!orders.has(order)) {
    orders.set(order, { paymentId: null, status: "pending", message: "" });
  }
  // Behind TLS this is your https address. The same order and amount give the same page again.
  const back = `http://127.0.0.1:${PORT}/orders/${order}`;
  const body = { amount, order, return_url: back };
  const answer = await ask("POST", "/api/checkout", { body });
  if (answer.status === 201) {
    response.redirect(303, answer.body.url);
    return;
  }
  response.status(503).send(payPage(order, answer.body.detail || "No answer. Press again."));
});

app.get("/orders/:order", (request, response) => {
  if (!orders.has(request.params.order)) {
    response.status(404).send("There is no such order.");
    return;
  }
  response.send(statusPage(request.params.order));
});

app.get("/orders/:order/status", async (request, response) => {
  const found = orders.get(request.params.order);
  if (!found) {
    response.status(404).json({ message: "There is no such order." });
    return;
  }
  if (found.status === "pending" && found.paymentId) {
    await refresh(request.params.order, found.paymentId, "asking");
  }
  const { status, message } = orders.get(request.params.order);
  response.set("Cache-Control", "no-store").json({ status, message });
});

// express.raw, not express.json: what is signed are the bytes as they came.
app.post("/webhooks", express.raw({ type: () => true }), async (request, response) => {
  if (!isSigned(request.body, request.headers)) {
    response.status(400).send("The signature does not hold.");
    return;
  }
  const event = JSON.parse(request.body.toString("utf8"));
  const order = event.data && event.data.merchant_reference;
  if (orders.has(order)) {
    // The webhook says that something happened; what counts is how the payment stands now.
    if (!(await refresh(order, event.data.id, "webhook"))) {
      response.status(503).end(); // It will come again.
      return;
    }
  }
  response.status(204).end();
});

function isSigned(body, headers) {
  const id = headers["webhook-id"] || "";
  const stamp = headers["webhook-timestamp"] || "";
  const age = Math.abs(Date.now() / 1000 - Number(stamp));
  if (!Buffer.isBuffer(body) || !/^\d{1,12}$/.test(stamp) || age > TOLERANCE_SECONDS) {
    return false;
  }
  const key = Buffer.from(WEBHOOK_SECRET.replace(/^whsec_/, ""), "base64");
  const signed = Buffer.concat([Buffer.from(`${id}.${stamp}.`), body]);
  const expected = crypto.createHmac("sha256", key).update(signed).digest();
  // There are two signatures while the secret is being changed.
  return String(headers["webhook-signature"] || "").split(" ").some((one) => {
    const [version, text] = one.split(",");
    const offered = Buffer.from(text || "", "base64");
    const alike = offered.length === expected.length;
    return version === "v1" && alike && crypto.timingSafeEqual(offered, expected);
  });
}

// Asks the gateway how a payment stands; tells whether it answered.
async function refresh(order, paymentId, source) {
  const answer = await ask("GET", `/api/payment/${encodeURIComponent(paymentId)}`);
  if (answer.status === 200) {
    learn(order, answer.body, source);
  }
  return answer.status === 200;
}

function learn(order, { id, status, message }, source) {
  const before = orders.get(order);
  if (before.status !== "pending" && status === "pending") {
    return; // An answer that was overtaken on its way.
  }
  orders.set(order, { paymentId: id, status, message });
  if (before.status !== status) {
    // Deliver the goods here, once: in one transaction with writing down the new status.
    console.log(`order ${order}: ${status}, told by ${source}`);
  }
}

// Calls the gateway; status 0 when there was no answer.
async function ask(method, path, { order, body } = {}) {
  const headers = { Authorization: `Bearer ${GATEWAY_KEY}`, Accept: "application/json" };
  if (body) {
    headers["Content-Type"] = "application/json";
    if (order) headers["Idempotency-Key"] = order;
  }
  try {
    const answer = await fetch(GATEWAY_URL + path, {
      method,
      headers,
      body: body && JSON.stringify(body),
      signal: AbortSignal.timeout(GATEWAY_TIMEOUT_MS),
    });
    return { status: answer.status, body: await answer.json() };
  } catch (error) {
    console.error(`${method} ${path}: ${error.name}`);
    return { status: 0, body: {} };
  }
}

function wanted(name) {
  if (!process.env[name]) {
    console.error(`Set ${name}.`);
    process.exit(2);
  }
  return process.env[name];
}

function escaped(text) {
  const signs = { "&": "&amp;", "<": "&lt;", ">": "&gt;", '"': "&quot;", "'": "&#39;" };
  return String(text).replace(/[&<>"']/g, (sign) => signs[sign]);
}

function page(title, content) {
  return `<!doctype html><html lang="en"><meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1"><title>${title}</title>
<h1>${title}</h1>${content}</html>`;
}

function payPage(order, message) {
  return page(
    "Pay with MoMo",
    `<p role="alert">${escaped(message)}</p>
<form method="post" action="/pay">
<input type="hidden" name="order" value="${escaped(order)}">
<p><label>Amount <input name="amount" inputmode="decimal" required></label></p>
<p><label>Phone <input name="phone" type="tel" autocomplete="tel" required></label></p>
<button>Pay</button>
<button formaction="/checkout" formnovalidate>Pay on the next page</button></form>`,
  );
}

function statusPage(order) {
  return page(
    "Your payment",
    `<p id="message" role="status">One moment…</p><p><a href="/">Back to the shop</a></p>
<script>
async function look() {
  let told = { status: "pending", message: "" };
  try { told = await (await fetch("/orders/${escaped(order)}/status")).json(); } catch { /* again */ }
  if (told.message) document.getElementById("message").textContent = told.message;
  if (told.status === "pending") setTimeout(look, 2000);
}
look();
</script>`,
  );
}

app.listen(PORT, "127.0.0.1", () => console.log(`The shop is at http://127.0.0.1:${PORT}`));
