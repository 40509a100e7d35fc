"""The pages in a real browser: lively with a script, whole without one, and readable."""

from __future__ import annotations

import asyncio
import os
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.gateway.journeys.whole import PAYER, Whole, whole
from tests.gateway.pages.chromium import CHROMIUM, Tab, chromium, tab
from tests.gateway.pages.payer import checkout, invoice

pytestmark = [
    pytest.mark.anyio,
    pytest.mark.browser,
    pytest.mark.skipif(not CHROMIUM, reason="there is no Chromium on this machine"),
]

DECLINED = "46733123451"
WIDE = "document.documentElement.scrollWidth > document.documentElement.clientWidth"
FAINT = """(() => {
  const shade = (text) => {
    const [r, g, b] = text.match(/[0-9.]+/g).slice(0, 3).map((n) => {
      const c = Number(n) / 255;
      return c <= 0.03928 ? c / 12.92 : ((c + 0.055) / 1.055) ** 2.4;
    });
    return 0.2126 * r + 0.7152 * g + 0.0722 * b;
  };
  const behind = (node) => {
    for (let one = node; one; one = one.parentElement) {
      const color = getComputedStyle(one).backgroundColor;
      if (!color.startsWith("rgba(0, 0, 0, 0")) return color;
    }
    return "rgb(255, 255, 255)";
  };
  const faint = [];
  for (const node of document.querySelectorAll("main *, header *, footer *")) {
    const own = [...node.childNodes].some((one) => one.nodeType === 3 && one.data.trim());
    if (!own || !node.getClientRects().length) continue;
    const a = shade(getComputedStyle(node).color), b = shade(behind(node));
    const ratio = (Math.max(a, b) + 0.05) / (Math.min(a, b) + 0.05);
    if (ratio < 4.5) faint.push(node.textContent.trim() + " " + ratio.toFixed(1));
  }
  return faint.join("; ");
})()"""
UNNAMED = """[...document.querySelectorAll('input:not([type=hidden]), button, a')]
  .filter((one) => !(one.labels?.length || one.textContent.trim() || one.ariaLabel)).length"""
SMALL = """[...document.querySelectorAll('main button, main .button, main input')]
  .filter((one) => !one.hidden && one.type !== 'hidden')
  .filter((one) => one.getBoundingClientRect().height < 44).length"""


@pytest.fixture(scope="module")
def devtools() -> Iterator[str]:
    """Start one browser for all."""
    with chromium() as address:
        yield address


async def settle(gateway: Whole) -> None:
    """Let MTN's word come while the browser looks on."""
    await asyncio.sleep(0.1)
    await gateway.until_quiet()


async def test_a_page_follows_by_itself_to_the_receipt(sqlite_url: str, devtools: str) -> None:
    """Typed in groups, pressed twice, approved: one payment, and the page says so unasked."""
    async with whole(sqlite_url, speed=1.0) as gateway, tab(devtools) as one:
        made = await checkout(gateway, return_url="http://127.0.0.1:9/back")
        await one.open(made["url"])
        await one.type("phone", PAYER)
        await one.press(times=2)
        await one.wait_for("waiting")
        await settle(gateway)
        await one.wait_for("paid")
        title = await one.run("document.title")
        focus = await one.run("document.activeElement.id")
        truths = await gateway.truths([payment.id for payment in await gateway.all()])
        complaints = one.complaints

    assert title.startswith("Paid")
    assert focus == "content"
    assert truths == [("successful", 1)]
    assert complaints == []


async def test_without_a_script_the_page_works_too(sqlite_url: str, devtools: str) -> None:
    """The form is sent, the page reloads itself, and the receipt is a link away."""
    async with whole(sqlite_url, speed=1.0) as gateway, tab(devtools, script=False) as one:
        made = await checkout(gateway)
        await one.open(made["url"])
        await one.type("phone", PAYER)
        await one.press()
        await one.wait_for("waiting")
        await settle(gateway)
        await one.wait_for("paid")
        refreshes = await one.run("document.querySelectorAll('meta[http-equiv]').length")
        links = await one.run("document.querySelector('.ways a').getAttribute('href')")

    assert refreshes == 0
    assert links.endswith("/receipt")


async def test_the_back_button_begins_nothing(sqlite_url: str, devtools: str) -> None:
    """Back from the waiting page shows that a payment is under way, and offers no other."""
    async with whole(sqlite_url) as gateway, tab(devtools) as one:
        gateway.emulator.faults.add("stuck_pending")
        made = await checkout(gateway)
        await one.open(made["url"])
        await one.type("phone", PAYER)
        await one.press()
        await one.wait_for("waiting")
        await one.open(made["qr_url"])
        await one.run("history.back()")
        await one.wait_for("waiting")
        await one.run("history.back()")
        await one.wait_for("waiting")
        forms = await one.run("document.forms.length")
        everything = await gateway.all()

    assert (forms, len(everything)) == (0, 1)


async def test_a_wrong_number_is_said_beside_its_field(sqlite_url: str, devtools: str) -> None:
    """The field is marked, described by its error and focused."""
    async with whole(sqlite_url) as gateway, tab(devtools) as one:
        made = await checkout(gateway)
        await one.open(made["url"])
        await one.type("phone", "077")
        await one.press()
        for _ in range(100):
            if await one.run("document.getElementById('phone-error')?.textContent"):
                break
            await asyncio.sleep(0.05)
        told = await one.run("document.getElementById('phone-error').textContent")
        focus = await one.run("document.activeElement.id")
        marked = await one.run("document.getElementById('phone').ariaInvalid")
        described = await one.run(
            "document.getElementById('phone').getAttribute('aria-describedby')"
        )

    assert "not a phone number" in told
    assert (focus, marked) == ("phone", "true")
    assert described == "phone-hint phone-error"


@pytest.mark.parametrize("scheme", ["light", "dark"])
async def test_every_page_is_readable(sqlite_url: str, devtools: str, scheme: str) -> None:
    """On a phone and on a desk, in both languages: nothing sticks out, is faint, or has no name."""
    pictures = os.environ.get("MOMO_PICTURES")
    async with whole(sqlite_url) as gateway, tab(devtools) as one:
        await one.tell(
            "Emulation.setEmulatedMedia",
            features=[{"name": "prefers-color-scheme", "value": scheme}],
        )
        pages = await _pages(gateway)
        found = []
        for name, url in pages.items():
            for width, language in ((390, "en"), (390, "fr"), (320, "fr"), (1280, "en")):
                await one.size(width)
                await one.open(f"{url}?lang={language}")
                facts = [await one.run(script) for script in (WIDE, FAINT, UNNAMED, SMALL)]
                if facts != [False, "", 0, 0]:
                    found.append((name, width, language, facts))
                if pictures:
                    await _picture(one, Path(pictures), f"{name}-{width}-{language}-{scheme}")
        complaints = [text for text in one.complaints if "404" not in text]

    assert found == []
    assert complaints == []


async def _picture(one: Tab, folder: Path, name: str) -> None:
    picture = await one.picture()
    await asyncio.to_thread((folder / f"{name}.png").write_bytes, picture)


async def _pages(gateway: Whole) -> dict[str, str]:
    """Bring about every page there is."""
    shown = {"merchant_name": "Librairie de la Paix", "return_url": "http://127.0.0.1:9/back"}
    choice = {"amount": None, "minimum_amount": "5", "maximum_amount": "500"}
    made = {
        "open": await checkout(gateway, description="Order 1007: two notebooks", **shown),
        "choose": await checkout(gateway, description="Any gift helps", **choice, **shown),
        "failed": await checkout(gateway, **shown),
        "paid": await checkout(gateway, merchant_reference="1008", **shown),
        "waiting": await checkout(gateway, amount="1250000", **shown),
        "cancelled": await checkout(gateway, **shown),
        "bill": await invoice(
            gateway, amount=None, allow_partial=True, minimum_amount="50", due_date="2099-12-31",
            number="2026/117", payer={"name": "Ama Mensah"}, description="Term 3",
            lines=[
                {"description": "School fees, term 3", "unit_amount": "450"},
                {"description": "Lunch, per week", "quantity": "12", "unit_amount": "7.50"},
            ],
        ),
    }  # fmt: skip
    tries = [("failed", DECLINED, ""), ("paid", "46733123801", ""), ("bill", "46733123802", "200")]
    for name, phone, amount in tries:
        await _pay(gateway, made[name]["url"], phone, amount)
    await gateway.until_quiet()
    gateway.emulator.faults.add("stuck_pending")
    await _pay(gateway, made["waiting"]["url"], "46733123803", "")
    await gateway.post(f"/v1/checkouts/{made['cancelled']['id']}/cancel", {})
    urls = {name: one["url"] for name, one in made.items()}
    urls |= {"receipt": f"{urls['paid']}/receipt", "invoice": f"{urls['bill']}/invoice"}
    return urls | {"lost": f"{urls['open']}/receipt"}


async def _pay(gateway: Whole, url: str, phone: str, amount: str) -> None:
    form = {"attempt": "0", "phone": phone, "amount": amount}
    answer = await gateway.http.post(url, data=form, headers={"Authorization": ""})
    assert answer.status_code == 303, answer.text
