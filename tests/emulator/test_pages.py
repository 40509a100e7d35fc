"""The emulator's front page and payment pages, and what holds of every page."""

from __future__ import annotations

from urllib.parse import quote

import pytest

from momokit.emulator import Request

from .browser import HOST, Browser, ask_alias
from .caller import ORDINARY, Caller

HOSTILE = (
    "<script>alert(1)</script>",
    '"><img src=x onerror=alert(1)>',
    "' autofocus onfocus='alert(1)",
    "</title><svg/onload=alert(1)>",
    "{{ 7 * 7 }}{% raw %}",
    "javascript:alert(1)//",
    "<!-- --!><b>\u202e\u0000\u2028",
    "&lt;script&gt;&#60;b&#62;",
    "a" * 160,
)


@pytest.fixture
def caller() -> Caller:
    """Give a caller of an emulator whose payers decide on the phone and whose clock stands."""
    made = Caller(approval="phone", restricted_characters=False)
    made.emulator.clock.freeze(at=1_800_000_000.0)
    return made


@pytest.fixture
def browser(caller: Caller) -> Browser:
    """Give a browser on that emulator's pages."""
    return Browser(caller.emulator)


@pytest.mark.parametrize(
    "path", ["/", "/phone", f"/phone/{ORDINARY}", "/nothing", "/static/live.js"]
)
def test_every_page_forbids_foreign_content(browser: Browser, path: str) -> None:
    """The policy allows our own style, script and forms, and nothing else."""
    headers = browser.ask("GET", path).headers

    assert headers["content-security-policy"].startswith("default-src 'none'; script-src 'self'; ")
    assert "unsafe" not in headers["content-security-policy"]
    assert headers["x-content-type-options"] == "nosniff"


@pytest.mark.parametrize("hostile", HOSTILE)
@pytest.mark.parametrize("language", ["en", "fr"])
def test_nothing_a_requester_sent_becomes_markup(
    caller: Caller, browser: Browser, hostile: str, language: str
) -> None:
    """Scripts and attributes in messages, parties and paths are shown as text on every page."""
    reference = ask_alias(
        caller,
        hostile,
        payerMessage=hostile,
        payeeNote=hostile,
        externalId=hostile.replace(" ", "_"),
    )
    caller.emulator.handle(Request.of("GET", f"/no/{hostile}", headers={"x-of-mine": hostile}))
    phone = f"/phone/{quote(hostile, safe='')}"

    for path in ("/", "/phone", phone, f"/payments/{reference}", f"/phone/x?about={reference}"):
        page = browser.see(path, accept_language=language)
        scripts = page.named("script")
        attributes = [name for _, named in page.elements for name in named]
        links = [named.get("href") or "" for named in page.named("a")]
        assert [(script.get("src") or "")[:15] for script in scripts] == ["/static/live.js"]
        assert [name for name in attributes if name.startswith("on")] == []
        assert [link for link in links if link.startswith("javascript")] == []
        assert {name for name, _ in page.elements} & {"b", "svg"} == set()
    assert " ".join(hostile.replace("\0", "").split()) in browser.see(
        f"/payments/{reference}"
    ).text.replace("\ufffd", "").replace("\0", "")


def test_the_front_page_tells_what_happened(caller: Caller, browser: Browser) -> None:
    """Payments, counts, the wallet, faults, settings and the way in are on it."""
    paid, _ = caller.pay(amount="250")
    caller.emulator.decide(paid, "approve")
    caller.pay(amount="70")
    caller.transfer(amount="50")
    caller.emulator.faults.add("drop_response", operation="RequesttoPay", times=3)

    text = browser.see("/").text

    expected = (
        "3 All",
        "1 Waiting for the payer",
        "2 Successful",
        "Request to pay +256 772 123456 EUR 250 SUCCESSFUL",
        "EUR +200 since the start money moved 2 times",
        "drop_response how=close operation RequesttoPay 0 of 3 used",
        "approval phone",
        f"curl -X POST http://{HOST}/_emulator/provision",
        "POST /disbursement/v1_0/transfer 202",
    )
    assert [words for words in expected if words not in text] == []


def test_the_newest_payment_comes_first_and_filters_leave_out(
    caller: Caller, browser: Browser
) -> None:
    """The table is in reverse order of arrival and can show one status alone."""
    first, _ = caller.pay(amount="11")
    caller.pay(amount="22")
    caller.emulator.decide(first, "decline")

    everything = browser.see("/").text
    failed = browser.see("/?show=FAILED").text

    assert everything.index("EUR 22") < everything.index("EUR 11")
    assert ("EUR 11" in failed, "EUR 22" in failed) == (True, False)


def test_many_payments_are_shown_a_page_at_a_time(caller: Caller, browser: Browser) -> None:
    """Fifty rows, and the rest behind a link."""
    for _ in range(53):
        caller.pay()

    rows = [len(browser.see(f"/?page={page}").named("tr")) - 1 for page in (0, 1)]

    assert rows == [50, 3]


@pytest.mark.parametrize("page", ["-1", "x", "9" * 400, "²", ""])
def test_a_strange_page_number_is_the_first_page(
    caller: Caller, browser: Browser, page: str
) -> None:
    """Nothing in the address breaks the front page."""
    caller.pay()

    assert len(browser.see(f"/?page={page}&show=<&lang=xx").named("tr")) == 2


def test_a_callback_is_followed_from_due_to_delivered(caller: Caller, browser: Browser) -> None:
    """The table says whether one was asked for, is due, failed or arrived."""
    caller.emulator.change_settings(callback_regime="retry")
    reference, _ = caller.pay(X_Callback_Url="http://127.0.0.1:9/hook")
    seen = [browser.see("/").text]
    caller.emulator.decide(reference, "approve")
    seen.append(browser.see("/").text)
    (callback,) = caller.callbacks()
    caller.emulator.callback_done(callback, error="refused")
    seen.append(browser.see("/").text)
    caller.emulator.clock.advance(seconds=2)
    (again,) = caller.callbacks()
    caller.emulator.callback_done(again, status=204)
    seen.append(browser.see("/").text)

    states = ("when settled", "due", "refused, will retry", "delivered, 204 (2 attempts)")
    assert [state for text, state in zip(seen, states, strict=True) if state not in text] == []


def test_a_payments_page_tells_its_story_in_order(caller: Caller, browser: Browser) -> None:
    """Request, outcome, money, question and callback stand in the order they happened."""
    reference, _ = caller.pay(X_Callback_Url="http://127.0.0.1:9/hook")
    caller.emulator.clock.advance(seconds=1)
    caller.emulator.decide(reference, "approve")
    caller.emulator.clock.advance(seconds=1)
    caller.status(reference)
    (callback,) = caller.callbacks()
    caller.emulator.callback_done(callback, status=200)
    caller.pay(amount="999")

    text = browser.see(f"/payments/{reference}").text
    story = (
        "The provider took it in",
        "Request POST /collection/v1_0/requesttopay 202",
        "Settled: SUCCESSFUL",
        "EUR +100 moved",
        f"Request GET /collection/v1_0/requesttopay/{reference} 200",
        "Callback POST http://127.0.0.1:9/hook 200",
    )
    places = [text.find(event) for event in story]

    assert -1 not in places
    assert places == sorted(places)
    assert "999" not in text


def test_a_payments_page_shows_no_secret(caller: Caller, browser: Browser) -> None:
    """Tokens and keys in the headers stay masked, and keys in the settings are only counted."""
    reference, _ = caller.pay()
    secrets = {*caller.headers("collection").values()} - {"sandbox"}
    pages = [browser.see(path).text for path in (f"/payments/{reference}", "/")]

    assert [secret for secret in secrets for page in pages if secret in page] == []


def test_bad_paths_are_a_small_page(browser: Browser) -> None:
    """A browser gets a page that leads back."""
    for path in ("/nothing", "/payments/unknown", "/static/../pages.py", "/phone/"):
        answer = browser.ask("GET", path)
        assert (path, answer.status_code) == (path, 404 if path != "/phone/" else 200)


def test_a_program_on_a_bad_path_hears_what_the_provider_says(
    caller: Caller, browser: Browser
) -> None:
    """Only browsers get the page; a mistaken API call is answered as MTN does, and recorded."""
    answer = browser.ask("POST", "/collections/v1_0/requesttopay", form={}, accept="*/*")

    assert (answer.status_code, answer.json()["statusCode"]) == (404, 404)
    assert caller.emulator.history[-1].path == "/collections/v1_0/requesttopay"


def test_a_browsers_own_questions_leave_no_trace(caller: Caller, browser: Browser) -> None:
    """The icon is there, and looking at pages writes nothing into the history."""
    caller.pay()
    before = len(caller.emulator.history)

    icon = browser.ask("GET", "/favicon.ico", accept="image/*").headers["location"]
    found = browser.ask("GET", icon, accept="image/*")
    browser.see("/")

    assert (found.status_code, found.headers["content-type"][:13]) == (200, "image/svg+xml")
    assert len(caller.emulator.history) == before


def test_the_language_switch_is_remembered(browser: Browser) -> None:
    """`?lang=fr` sets a cookie that outweighs what the browser prefers."""
    first = browser.see("/phone", accept_language="en").named("html")
    switched = browser.see("/phone?lang=fr", accept_language="en").named("html")
    later = browser.see("/phone", accept_language="en").named("html")

    assert [first, switched, later] == [[{"lang": "en"}], [{"lang": "fr"}], [{"lang": "fr"}]]


def test_a_clock_at_the_end_of_the_calendar_breaks_no_page(
    caller: Caller, browser: Browser
) -> None:
    """A test may move the clock anywhere."""
    reference, _ = caller.pay()
    caller.emulator.clock.advance(seconds=198_000_000_000)

    pages = ("/", "/phone", f"/phone/{ORDINARY}", f"/payments/{reference}")

    assert [browser.ask("GET", page).status_code for page in pages] == [200] * 4
