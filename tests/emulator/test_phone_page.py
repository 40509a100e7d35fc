"""The payer's phone: what waits on it, what a decision does, and who may make one."""

from __future__ import annotations

import pytest

from .browser import HOST, Browser, ask_alias
from .caller import INVOICE, ORDINARY, PREAPPROVAL, Caller


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
