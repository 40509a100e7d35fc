<?php

// A tiny shop: a page that asks for money, a page that tells how it went, and an ear for webhooks.

declare(strict_types=1);

const TOLERANCE_SECONDS = 300;
const GATEWAY_TIMEOUT_SECONDS = 10;
const ORDER_ID = '/^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/D';

$method = $_SERVER['REQUEST_METHOD'];
$path = (string) parse_url($_SERVER['REQUEST_URI'], PHP_URL_PATH);

if ($method === 'GET' && $path === '/') {
    // The order's number is made before anything is sent, so that a second click is the same order.
    pay_page(new_order_id(), '');
} elseif ($method === 'POST' && $path === '/pay') {
    pay();
} elseif ($method === 'GET' && preg_match('#^/orders/([0-9a-f-]{36})$#D', $path, $found)) {
    read_order($found[1]) === null ? not_found() : status_page($found[1]);
} elseif ($method === 'GET' && preg_match('#^/orders/([0-9a-f-]{36})/status$#D', $path, $found)) {
    status($found[1]);
} elseif ($method === 'POST' && $path === '/webhooks') {
    webhook();
} else {
    not_found();
}

function pay(): void
{
    $order = (string) ($_POST['order'] ?? '');
    if (!preg_match(ORDER_ID, $order)) {
        http_response_code(400);
        pay_page(new_order_id(), 'Please try again.');
        return;
    }
    // Written down first: the webhook can be faster than the answer.
    if (read_order($order) === null) {
        write_order($order, ['payment_id' => null, 'status' => 'pending', 'message' => '']);
    }
    // In a real shop the amount is the order's own, never what a browser says.
    $body = [
        'amount' => (string) ($_POST['amount'] ?? ''),
        'phone' => (string) ($_POST['phone'] ?? ''),
        'order' => $order,
    ];
    [$code, $answer] = ask('POST', '/api/pay', $body, $order);
    if ($code === 202) {
        learn($order, $answer, 'its answer');
        http_response_code(303);
        header("Location: /orders/$order");
        return;
    }
    // 400 and 422 are refusals, and say why. Otherwise nobody knows yet whether the payment was taken in;
    // sending the same order again is safe, as its number is the idempotency key.
    $refused = $code === 400 || $code === 422;
    http_response_code($refused ? 422 : 503);
    $why = $refused ? ($answer['detail'] ?? 'This was refused.') : 'No answer yet. Press the button again.';
    pay_page($order, $why);
}

function status(string $order): void
{
    $found = read_order($order);
    if ($found === null) {
        not_found();
        return;
    }
    if ($found['status'] === 'pending' && $found['payment_id'] !== null) {
        refresh($order, $found['payment_id'], 'asking');
        $found = read_order($order);
    }
    header('Content-Type: application/json');
    header('Cache-Control: no-store');
    echo json_encode(['status' => $found['status'], 'message' => $found['message']]);
}

function webhook(): void
{
    // The bytes as they came: those are what is signed.
    $body = (string) file_get_contents('php://input');
    if (!is_signed($body)) {
        http_response_code(400);
        echo 'The signature does not hold.';
        return;
    }
    $event = json_decode($body, true);
    $order = (string) ($event['data']['merchant_reference'] ?? '');
    // The webhook says that something happened; what counts is how the payment stands now.
    $known = preg_match(ORDER_ID, $order) && read_order($order) !== null;
    $told = !$known || refresh($order, (string) $event['data']['id'], 'webhook');
    http_response_code($told ? 204 : 503); // After 503 it will come again.
}

function is_signed(string $body): bool
{
    $id = $_SERVER['HTTP_WEBHOOK_ID'] ?? '';
    $stamp = $_SERVER['HTTP_WEBHOOK_TIMESTAMP'] ?? '';
    if (!preg_match('/^\d{1,12}$/D', $stamp) || abs(time() - (int) $stamp) > TOLERANCE_SECONDS) {
        return false;
    }
    $key = base64_decode((string) preg_replace('/^whsec_/', '', setting('WEBHOOK_SECRET')));
    $expected = 'v1,' . base64_encode(hash_hmac('sha256', "$id.$stamp.$body", $key, true));
    // There are two signatures while the secret is being changed.
    foreach (explode(' ', $_SERVER['HTTP_WEBHOOK_SIGNATURE'] ?? '') as $offered) {
        if (hash_equals($expected, $offered)) {
            return true;
        }
    }
    return false;
}

/** Asks the gateway how a payment stands; tells whether it answered. */
function refresh(string $order, string $payment_id, string $source): bool
{
    [$code, $answer] = ask('GET', '/api/payment/' . rawurlencode($payment_id));
    if ($code === 200) {
        learn($order, $answer, $source);
    }
    return $code === 200;
}

function learn(string $order, array $payment, string $source): void
{
    $before = read_order($order);
    $status = $payment['status'];
    $message = $payment['message'];
    if ($before['status'] !== 'pending' && $status === 'pending') {
        return; // An answer that was overtaken on its way.
    }
    write_order($order, ['payment_id' => $payment['id'], 'status' => $status, 'message' => $message]);
    if ($before['status'] !== $status) {
        // Deliver the goods here, once: in one transaction with writing down the new status.
        error_log("order $order: $status, told by $source");
    }
}

/** Calls the gateway; code 0 when there was no answer. */
function ask(string $method, string $path, ?array $body = null, string $order = ''): array
{
    $headers = ['Authorization: Bearer ' . setting('GATEWAY_KEY'), 'Accept: application/json'];
    $options = [
        'method' => $method,
        'timeout' => GATEWAY_TIMEOUT_SECONDS,
        'ignore_errors' => true,
        'follow_location' => 0,
    ];
    if ($body !== null) {
        $headers[] = 'Content-Type: application/json';
        $headers[] = "Idempotency-Key: $order";
        $options['content'] = json_encode($body, JSON_THROW_ON_ERROR | JSON_INVALID_UTF8_SUBSTITUTE);
    }
    $options['header'] = $headers;
    $url = rtrim(getenv('GATEWAY_URL') ?: 'http://127.0.0.1:8702', '/') . $path;
    $text = @file_get_contents($url, false, stream_context_create(['http' => $options]));
    $answer = $text === false ? null : json_decode($text, true);
    if (!is_array($answer) || !preg_match('#^HTTP/\S+ (\d{3})#', $http_response_header[0] ?? '', $found)) {
        return [0, []];
    }
    return [(int) $found[1], $answer];
}

/** Reads an order. Your database takes the place of these files. */
function read_order(string $order): ?array
{
    $text = @file_get_contents(order_file($order));
    return $text === false ? null : json_decode($text, true);
}

function write_order(string $order, array $found): void
{
    $file = order_file($order);
    $new = $file . '.' . bin2hex(random_bytes(6));
    file_put_contents($new, json_encode($found));
    rename($new, $file); // Whoever reads meanwhile sees the old one or the new one, whole.
}

function order_file(string $order): string
{
    $folder = getenv('ORDERS_DIR') ?: sys_get_temp_dir() . '/momo-shop-orders';
    if (!is_dir($folder)) {
        @mkdir($folder, 0700, true);
    }
    return "$folder/$order.json";
}

function new_order_id(): string
{
    $bytes = random_bytes(16);
    $bytes[6] = chr(ord($bytes[6]) & 0x0f | 0x40);
    $bytes[8] = chr(ord($bytes[8]) & 0x3f | 0x80);
    return vsprintf('%s%s-%s-%s-%s-%s%s%s', str_split(bin2hex($bytes), 4));
}

function setting(string $name): string
{
    $value = getenv($name);
    if ($value === false || $value === '') {
        error_log("Set $name.");
        http_response_code(500);
        exit('The shop is not set up.');
    }
    return $value;
}

function not_found(): void
{
    http_response_code(404);
    echo 'There is no such page.';
}

function pay_page(string $order, string $message): void
{
    page('Pay with MoMo', '<p role="alert">' . htmlspecialchars($message) . '</p>
<form method="post" action="/pay">
<input type="hidden" name="order" value="' . htmlspecialchars($order) . '">
<p><label>Amount <input name="amount" inputmode="decimal" required></label></p>
<p><label>Phone <input name="phone" type="tel" autocomplete="tel" required></label></p>
<button>Pay</button></form>');
}

function status_page(string $order): void
{
    page('Your payment', '<p id="message" role="status">One moment…</p><p><a href="/">Back to the shop</a></p>
<script>
async function look() {
  let told = { status: "pending", message: "" };
  try { told = await (await fetch("/orders/' . $order . '/status")).json(); } catch { /* again */ }
  if (told.message) document.getElementById("message").textContent = told.message;
  if (told.status === "pending") setTimeout(look, 2000);
}
look();
</script>');
}

function page(string $title, string $content): void
{
    header('Content-Type: text/html; charset=utf-8');
    echo '<!doctype html><html lang="en"><meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1"><title>', $title, '</title>
<h1>', $title, '</h1>', $content, '</html>';
}
