"""The emulator's pages: the payer's phone, what happened, and who may drive them."""

from __future__ import annotations

import asyncio
import re
import string
from html.parser import HTMLParser
from pathlib import Path
from typing import Any
from urllib.parse import quote, urlencode

import httpx2
import pytest

import momokit.emulator
from momokit.emulator import Emulator, Request, create_app
from momokit.emulator.markets import MARKETS
from momokit.emulator.page_show import money, party, read_number, time_left
from momokit.emulator.page_words import WORDS, Words, choose_language
from momokit.emulator.pages import create_pages

from .caller import INVOICE, ORDINARY, PREAPPROVAL, Caller

HOST = "emulator.test:8701"
TEMPLATES = Path(momokit.emulator.__file__).parent / "templates"
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


class Reader(HTMLParser):
    """Reads a page as a browser would: its elements, and its text."""

    def __init__(self, page: str) -> None:
        super().__init__()
        self.elements: list[tuple[str, dict[str, str | None]]] = []
        self.texts: list[str] = []
        self.feed(page)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        """Note an element."""
        self.elements.append((tag, dict(attrs)))

    def handle_data(self, data: str) -> None:
        """Note a text."""
        self.texts.append(data)

    @property
    def text(self) -> str:
        """All the text, its spaces made one."""
        return " ".join(" ".join(self.texts).split())

    def named(self, tag: str) -> list[dict[str, str | None]]:
        """Give the attributes of every element of one kind."""
        return [attributes for name, attributes in self.elements if name == tag]


class Browser:
    """Asks the whole application for pages, and keeps cookies as a browser does."""

    def __init__(self, emulator: Emulator) -> None:
        self._app = create_app(emulator, pages=create_pages(emulator))
        self._cookies = httpx2.Cookies()

    def ask(self, method: str, path: str, *, form: Any = None, **headers: str) -> httpx2.Response:
        """Make one request; header names are given with underscores."""
        sent = {"accept": "text/html", **{k.replace("_", "-"): v for k, v in headers.items()}}
        body = None if form is None else urlencode(form).encode()
        if body is not None:
            sent.setdefault("content-type", "application/x-www-form-urlencoded")
        return asyncio.run(self._ask(method, path, body=body, headers=sent))

    async def _ask(self, method: str, path: str, *, body: Any, headers: Any) -> httpx2.Response:
        transport = httpx2.ASGITransport(app=self._app)
        base = f"http://{HOST}"
        async with httpx2.AsyncClient(
            transport=transport, base_url=base, cookies=self._cookies
        ) as client:
            answer = await client.request(method, path, content=body, headers=headers)
            self._cookies = client.cookies
            return answer

    def see(self, path: str, **headers: str) -> Reader:
        """Open a page that must be there."""
        answer = self.ask("GET", path, **headers)
        assert answer.status_code == 200
        return Reader(answer.text)

    def decide(self, reference: str, decision: str, *, pin: str = "", **headers: str) -> Any:
        """Press a button on the phone, as its form does."""
        form = {"reference_id": reference, "decision": decision, "pin": pin}
        return self.ask("POST", f"/phone/{ORDINARY}", form=form, **headers)


def ask_alias(caller: Caller, alias: str, **more: Any) -> str:
    """Ask a payer to pay who is known by something else than a number."""
    body = caller.body("payer", alias, **more)
    body["payer"] = {"partyIdType": "ALIAS", "partyId": alias}
    reference, reply = caller.create("/collection/v1_0/requesttopay", body)
    assert reply.status == 202
    return reference


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


def test_the_phone_shows_a_request_with_its_message_and_the_time_left(
    caller: Caller, browser: Browser
) -> None:
    """Amount, message and the rest of five minutes are on the screen."""
    caller.pay(amount="12500", payerMessage="two crates")
    caller.emulator.clock.advance(seconds=55)

    text = browser.see(f"/phone/{ORDINARY}").text

    assert "asks you to pay EUR 12,500 two crates Time left 4:05" in text
    assert "1 request is waiting" in text


def test_every_kind_that_needs_a_payer_waits_on_the_phone(caller: Caller, browser: Browser) -> None:
    """Requests to pay, withdraws, pre-approvals and invoices all ask in their own words."""
    caller.pay()
    caller.create("/collection/v1_0/requesttowithdraw", caller.body("payer", ORDINARY))
    caller.create("/collection/v2_0/invoice", INVOICE)
    caller.create("/collection/v2_0/preapproval", PREAPPROVAL)

    text = browser.see(f"/phone/{ORDINARY}").text

    asks = ("to pay", "to take cash out", "sends you a bill of EUR 500", "without asking each time")
    assert [words for words in asks if words not in text] == []
    assert "4 requests are waiting" in text


@pytest.mark.parametrize(
    ("decision", "status", "reason", "said"),
    [
        ("approve", "SUCCESSFUL", "", "Approved"),
        ("decline", "FAILED", "APPROVAL_REJECTED", "Declined"),
        ("ignore", "PENDING", "", "Ignored."),
    ],
)
def test_a_decision_takes_effect_and_its_result_is_shown(
    caller: Caller, browser: Browser, decision: str, status: str, reason: str, said: str
) -> None:
    """The button decides the payment, and the page after it says so."""
    reference, _ = caller.pay()

    answer = browser.decide(reference, decision)

    payment = caller.emulator.payment(reference)
    assert (payment.status, payment.reason) == (status, reason)
    assert answer.status_code == 303
    assert said in browser.see(answer.headers["location"]).text


def test_an_ignored_request_can_still_be_approved(caller: Caller, browser: Browser) -> None:
    """It moves to the unanswered ones, with its buttons."""
    reference, _ = caller.pay()
    browser.decide(reference, "ignore")

    before = browser.see(f"/phone/{ORDINARY}").text
    browser.decide(reference, "approve")

    assert "No request is waiting" in before
    assert "Left unanswered" in before
    assert caller.emulator.payment(reference).status == "SUCCESSFUL"


@pytest.mark.parametrize(("pin", "status"), [("1234", "SUCCESSFUL"), ("12345", "SUCCESSFUL")])
def test_any_pin_of_four_or_five_digits_approves(
    caller: Caller, browser: Browser, pin: str, status: str
) -> None:
    """The PIN is only for the feel of it."""
    reference, _ = caller.pay()

    browser.decide(reference, "approve", pin=pin)

    assert caller.emulator.payment(reference).status == status


@pytest.mark.parametrize("pin", ["12", "123456", "abcd", "١٢٣٤"])
def test_something_else_in_the_pin_field_approves_nothing(
    caller: Caller, browser: Browser, pin: str
) -> None:
    """The payer is told, and the request stays."""
    reference, _ = caller.pay()

    answer = browser.decide(reference, "approve", pin=pin)

    assert caller.emulator.payment(reference).status == "PENDING"
    assert "A PIN has 4 or 5 digits" in browser.see(answer.headers["location"]).text


def test_deciding_twice_is_a_friendly_message(caller: Caller, browser: Browser) -> None:
    """A second press changes nothing and is no error."""
    reference, _ = caller.pay()
    browser.decide(reference, "approve")

    answer = browser.decide(reference, "decline")
    text = browser.see(answer.headers["location"]).text

    assert "already over; your choice changed nothing. Approved" in text
    assert caller.emulator.payment(reference).status == "SUCCESSFUL"


def test_deciding_too_late_says_that_the_time_ran_out(caller: Caller, browser: Browser) -> None:
    """After five minutes the request is gone, and the phone says why."""
    reference, _ = caller.pay()
    caller.emulator.clock.advance(seconds=301)

    answer = browser.decide(reference, "approve")
    text = browser.see(answer.headers["location"]).text

    assert "The time ran out" in text
    assert caller.emulator.payment(reference).reason == "EXPIRED"


def test_deciding_about_nothing_is_told(browser: Browser) -> None:
    """A request that a reset removed is said to be gone."""
    answer = browser.decide("8b4f61f1-9f0b-4f7a-8b0a-000000000000", "approve")

    assert "not there any more" in browser.see(answer.headers["location"]).text


@pytest.mark.parametrize(
    "headers",
    [
        {"origin": "http://evil.example"},
        {"origin": "null"},
        {"origin": f"http://{HOST}", "sec_fetch_site": "cross-site"},
        {"sec_fetch_site": "same-site"},
    ],
)
@pytest.mark.parametrize("form", ["decide", "approval"])
def test_a_page_elsewhere_cannot_drive_the_pages(
    caller: Caller, browser: Browser, headers: dict[str, str], form: str
) -> None:
    """Forms from other origins are refused and change nothing."""
    reference, _ = caller.pay()

    if form == "decide":
        answer = browser.decide(reference, "approve", **headers)
    else:
        answer = browser.ask("POST", "/approval", form={"approval": "scenario"}, **headers)

    assert answer.status_code == 403
    assert caller.emulator.payment(reference).status == "PENDING"
    assert caller.emulator.settings.approval == "phone"


@pytest.mark.parametrize(
    "headers", [{}, {"origin": f"http://{HOST}"}, {"sec_fetch_site": "same-origin"}]
)
def test_our_own_forms_and_programs_are_served(
    caller: Caller, browser: Browser, headers: dict[str, str]
) -> None:
    """A form of ours says so by its origin; a program says nothing."""
    reference, _ = caller.pay()

    answer = browser.decide(reference, "approve", **headers)

    assert answer.status_code == 303


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


def test_approval_can_be_switched_on_the_page(caller: Caller, browser: Browser) -> None:
    """One button lets scenarios decide, and another the phone."""
    modes = []
    for wanted in ("scenario", "phone"):
        browser.ask("POST", "/approval", form={"approval": wanted, "back": "front"})
        modes.append(caller.emulator.settings.approval)

    assert modes == ["scenario", "phone"]


def test_a_typed_number_leads_to_its_phone(browser: Browser) -> None:
    """Spaces and a plus are taken away."""
    answer = browser.ask("GET", "/phone?number=%2B256+772+123+456")

    assert answer.headers["location"] == f"/phone/{ORDINARY}"


def test_phones_with_something_waiting_are_listed(caller: Caller, browser: Browser) -> None:
    """Each is a link to that phone; ignored and settled requests do not count as waiting."""
    caller.pay("46700000001")
    done, _ = caller.pay("46700000002")
    caller.emulator.decide(done, "decline")

    page = browser.see("/phone")
    links = {named.get("href"): named.get("id") for named in page.named("a")}

    assert {"/phone/46700000001", "/phone/46700000002"} <= links.keys()
    assert page.text.index("Phones with a request") < page.text.index("1 request is waiting")
    assert page.text.count("1 request is waiting") == 1


@pytest.mark.parametrize("payer", ["jo@example.test", "a/b", "a b", "50%", "Ã±", "?x#y"])
def test_a_party_of_any_kind_has_a_phone(caller: Caller, browser: Browser, payer: str) -> None:
    """E-mail addresses, aliases and codes work in the address like numbers do."""
    ask_alias(caller, payer, payerMessage="found me")
    links = [named.get("href") or "" for named in browser.see("/phone").named("a")]
    (link,) = [link for link in links if link.startswith("/phone/")]

    page = browser.see(link)
    (form,) = [named["action"] for named in page.named("form")]

    assert "found me" in page.text
    assert form == link


def test_received_money_is_a_message_on_the_payees_phone(caller: Caller, browser: Browser) -> None:
    """A transfer needs no decision, but the payee hears of it."""
    caller.transfer(amount="75")

    assert "You received EUR 75." in browser.see(f"/phone/{ORDINARY}").text


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


@pytest.mark.parametrize(
    "content_type", ["multipart/form-data", "multipart/form-data; boundary=x", "text/plain", "x"]
)
def test_a_malformed_form_decides_nothing(
    caller: Caller, browser: Browser, content_type: str
) -> None:
    """Whatever the body claims to be, the answer is a page and the request stays."""
    reference, _ = caller.pay()

    answer = browser.decide(reference, "approve", content_type=content_type)

    assert answer.status_code in (400, 404)
    assert caller.emulator.payment(reference).status == "PENDING"


def test_an_oversized_form_is_refused(caller: Caller, browser: Browser) -> None:
    """A form has a limit."""
    answer = browser.ask("POST", f"/phone/{ORDINARY}", form={"pin": "1" * 20_000})

    assert answer.status_code == 413


def test_the_language_switch_is_remembered(browser: Browser) -> None:
    """`?lang=fr` sets a cookie that outweighs what the browser prefers."""
    first = browser.see("/phone", accept_language="en").named("html")
    switched = browser.see("/phone?lang=fr", accept_language="en").named("html")
    later = browser.see("/phone", accept_language="en").named("html")

    assert [first, switched, later] == [[{"lang": "en"}], [{"lang": "fr"}], [{"lang": "fr"}]]


@pytest.mark.parametrize(
    ("accepted", "language"),
    [
        ("fr-CM,fr;q=0.9,en;q=0.8", "fr"),
        ("en;q=0.5, fr;q=0.7", "fr"),
        ("de, sw", "en"),
        ("fr;q=0", "en"),
        ("", "en"),
        (";;q=,,\x00;q=nan;fr", "en"),
    ],
)
def test_the_language_follows_the_browser(accepted: str, language: str) -> None:
    """Of what the browser accepts, the best that there is."""
    assert choose_language(asked="", kept="", accepted=accepted) == language


def test_both_languages_say_the_same_things() -> None:
    """Each text exists in both and has the same gaps to fill in."""
    gaps = {
        key: [{gap for _, gap, _, _ in string.Formatter().parse(text) if gap} for text in texts]
        for key, texts in WORDS.items()
    }

    assert [key for key, texts in WORDS.items() if not all(texts)] == []
    assert [key for key, (english, french) in gaps.items() if english != french] == []


def test_every_text_that_a_template_uses_exists() -> None:
    """No page fails for want of a word."""
    used = {
        key
        for template in TEMPLATES.glob("*.html")
        for key in re.findall(r'\bt\("([^"]+)"[,)]', template.read_text(encoding="utf-8"))
    }

    assert used - WORDS.keys() == set()


def test_french_counts_nothing_as_one() -> None:
    """Zero is singular in French and plural in English."""
    counted = [Words(language).count("movements", 0) for language in ("en", "fr")]

    assert counted == ["money moved 0 times", "un mouvement d’argent"]


@pytest.mark.parametrize(
    ("entry", "market", "number"),
    [
        ("0772 123 456", "mtnuganda", "256772123456"),
        ("+256 772 123456", "mtnuganda", "256772123456"),
        ("00256772123456", "mtnuganda", "256772123456"),
        ("07 07 12 34 56", "mtnivorycoast", "2250707123456"),
        ("01 97 12 34 56", "mtnbenin", "2290197123456"),
        ("46733123450", "sandbox", "46733123450"),
        ("jo@example.test", "mtnuganda", "jo@example.test"),
        ("()", "mtnuganda", ""),
        ("1" * 300, "mtnuganda", "1" * 300),
    ],
)
def test_numbers_are_read_as_the_merchant_sends_them(entry: str, market: str, number: str) -> None:
    """National writing becomes the market's international digits; zeros that belong stay."""
    assert read_number(entry, market=MARKETS[market]) == number


def test_values_are_written_for_reading() -> None:
    """Amounts, numbers and times look as people write them."""
    written = [
        money("1234567.5", "EUR", language="en"),
        money("1234567.5", "EUR", language="fr"),
        money("-50", "UGX", language="en", signed=True),
        money("x", "UGX", language="en"),
        party("MSISDN", "256772123456"),
        party("MSISDN", "5"),
        party("EMAIL", "a@b"),
        time_left(245.9),
        time_left(-3),
        time_left(90_061),
    ]

    assert written == [
        "EUR 1,234,567.5",
        "1\u202f234\u202f567,5\u202fEUR",
        "UGX −50",
        "x UGX",
        "+256 772 123456",
        "5",
        "a@b",
        "4:05",
        "0:00",
        "25:01:01",
    ]


def test_a_clock_beyond_the_calendar_breaks_no_page(caller: Caller, browser: Browser) -> None:
    """A test may move the clock anywhere."""
    reference, _ = caller.pay()
    caller.emulator.clock.advance(seconds=1e15)

    pages = ("/", "/phone", f"/phone/{ORDINARY}", f"/payments/{reference}")

    assert [browser.ask("GET", page).status_code for page in pages] == [200] * 4
