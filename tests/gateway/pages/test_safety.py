"""The pages and strangers: nothing told, nothing loaded, nothing begun that should not be."""

from __future__ import annotations

import logging
import re

import httpx2
import pytest
from sqlalchemy import text

from momokit.gateway.pages.throttle import Rate, Throttle
from momokit.gateway.pages.words import WORDS, choose_language
from tests.gateway.journeys.whole import PAYER, whole
from tests.gateway.pages.payer import Payer, checkout, invoice

pytestmark = pytest.mark.anyio

HOSTILE = '"><script>alert(1)</script>'


def client() -> httpx2.AsyncClient:
    """Give a browser of no one's."""
    return httpx2.AsyncClient(trust_env=False)


async def test_no_page_is_found_by_guessing(sqlite_url: str) -> None:
    """A wrong token, an id, and odd paths are all the same: there is no such page."""
    async with whole(sqlite_url) as gateway, client() as http:
        made = await checkout(gateway)
        root = made["url"].rpartition("/")[0]
        wrong = made["url"][:-1] + ("A" if made["url"][-1] != "A" else "B")
        paths = [wrong, f"{root}/{made['id']}", f"{root}/x", f"{wrong}/receipt", f"{wrong}/qr.svg"]
        paths += [f"{made['url']}/receipt", f"{made['url']}/invoice"]
        answers = [await http.get(path) for path in paths]

    assert {one.status_code for one in answers} == {404}
    assert len(made["url"].rpartition("/")[2]) == 43


async def test_every_answer_is_locked_down(sqlite_url: str) -> None:
    """No script but ours, no frame, no cache, no referrer to other sites, no cookie."""
    async with whole(sqlite_url) as gateway, client() as http:
        made = await invoice(gateway)
        paths = [made["url"], f"{made['url']}/invoice", f"{made['url']}x"]
        answers = [await http.get(path) for path in paths]

    for answer in answers:
        policy = answer.headers["content-security-policy"]
        assert answer.headers.get_list("content-security-policy") == [policy]
        assert "script-src 'self'" in policy
        assert "unsafe-inline" not in policy
        assert "frame-ancestors 'none'" in policy
        assert answer.headers.get_list("cache-control") == ["no-store"]
        assert answer.headers["referrer-policy"] == "same-origin"
        assert answer.headers["x-robots-tag"] == "noindex, nofollow"
        assert "set-cookie" not in answer.headers
        assert re.findall(r"<script(?! src)", answer.text) == []
        assert re.findall(r"\sstyle=|\son[a-z]+=", answer.text) == []


async def test_what_pages_load_is_small_and_kept(sqlite_url: str) -> None:
    """Everything for the first look is under 30 kB, and the assets are cached by their hash."""
    async with whole(sqlite_url) as gateway, client() as http:
        made = await checkout(gateway)
        page = await http.get(made["url"])
        found = re.findall(r'(?:src|href)="(/assets/[^"]+)"', page.text)
        assets = [await http.get(str(page.url.join(one))) for one in found]
        again = await http.get(made["url"], headers={"if-none-match": page.headers["etag"]})

    assert len(found) == 3
    assert all("immutable" in one.headers["cache-control"] for one in assets)
    assert len(page.content) + sum(len(one.content) for one in assets) < 30_000
    assert (again.status_code, again.content) == (304, b"")


async def test_what_merchants_write_stays_text(sqlite_url: str) -> None:
    """Markup in names and descriptions is shown, not run."""
    async with whole(sqlite_url) as gateway, client() as http:
        made = await checkout(gateway, merchant_name=HOSTILE, description=HOSTILE)
        bill = await invoice(gateway, merchant_name=HOSTILE, payer={"name": HOSTILE})
        pages = [
            (await http.get(path)).text
            for path in (made["url"], bill["url"], f"{bill['url']}/invoice")
        ]

    assert all(HOSTILE not in page and "&lt;script&gt;" in page for page in pages)


@pytest.mark.parametrize(
    ("headers", "status"),
    [
        ({"sec-fetch-site": "cross-site"}, 403),
        ({"sec-fetch-site": "same-site"}, 403),
        ({"origin": "https://evil.example"}, 403),
        ({"origin": "null"}, 403),
        ({"sec-fetch-site": "same-origin"}, 303),
        ({}, 303),
    ],
)
async def test_a_form_of_another_site_begins_nothing(
    sqlite_url: str, headers: dict[str, str], status: int
) -> None:
    """A browser that says the form came from elsewhere is told so, and nothing is begun."""
    async with whole(sqlite_url) as gateway, client() as http:
        made = await checkout(gateway)
        form = {"attempt": "0", "phone": PAYER}
        answer = await http.post(made["url"], data=form, headers=headers)
        begun = len(await gateway.all())

    assert (answer.status_code, begun) == (status, 1 if status == 303 else 0)


@pytest.mark.parametrize("attempt", ["", "1", "-1", "00000", "zero", "99999999999"])
async def test_a_form_without_its_number_begins_nothing(sqlite_url: str, attempt: str) -> None:
    """Only the attempt that is next can be begun."""
    async with whole(sqlite_url) as gateway, client() as http:
        made = await checkout(gateway)
        answer = await http.post(made["url"], data={"attempt": attempt, "phone": PAYER})
        begun = await gateway.all()

    assert (answer.status_code, begun) == (303, [])


async def test_no_number_and_no_address_is_told_to_anyone(
    sqlite_url: str, caplog: pytest.LogCaptureFixture
) -> None:
    """The payer's number is on no page and in no log; the page's token is in no log and no row."""
    with caplog.at_level(logging.DEBUG):
        async with whole(sqlite_url) as gateway, client() as http:
            made = await checkout(gateway)
            await invoice(gateway, payer={"name": "Ama Canary", "phone": f"+{PAYER}"})
            payer = Payer(gateway, made["url"], http)
            await payer.open()
            refused = await payer.send("077" + PAYER)
            await payer.pay()
            pages = [refused.text, (await http.get(payer.url)).text]
            await gateway.until_quiet()
            pages += [(await http.get(made["url"] + more)).text for more in ("", "/receipt")]
            rows = await gateway.gateway.store.read(
                lambda t: [
                    *t.connection.execute(text("SELECT * FROM checkouts")),
                    *t.connection.execute(text("SELECT * FROM invoices")),
                ]
            )
    token = made["url"].rpartition("/")[2]
    ours = "\n".join(
        record.getMessage() for record in caplog.records if record.name.startswith("momokit")
    )

    assert [PAYER in page for page in pages] == [False] * 4
    assert (PAYER in ours, token in ours) == (False, False)
    assert len(rows) == 3
    assert [word in repr(rows) for word in (token, PAYER, "Canary")] == [False] * 3


async def test_one_phone_is_not_rung_again_and_again(sqlite_url: str) -> None:
    """After a few requests to one number, on whatever pages, the next must wait."""
    async with whole(sqlite_url) as gateway, client() as http:
        statuses = []
        for _ in range(6):
            made = await checkout(gateway)
            payer = Payer(gateway, made["url"], http)
            await payer.open()
            statuses.append((await payer.send()).status_code)
        late = await payer.send()

    assert statuses == [303] * 4 + [429] * 2
    assert int(late.headers["retry-after"]) > 0
    assert "Too many tries" in late.text


def test_what_is_taken_comes_back_with_time() -> None:
    """A burst, then as many as come back; each for itself, and old ones are forgotten."""
    now = [0.0]
    throttle = Throttle({"try": Rate(burst=2, seconds=10)}, clock=lambda: now[0], kept=2)
    first = [throttle.wait("try", "a") for _ in range(3)]
    other = throttle.wait("try", "b")
    now[0] = 5.0
    later = [throttle.wait("try", "a") for _ in range(2)]
    for name in "cde":
        throttle.wait("try", name)
    forgotten = throttle.wait("try", "a")

    assert first == [0, 0, 5.0]
    assert other == 0
    assert later == [0, 5.0]
    assert forgotten == 0


@pytest.mark.parametrize(
    ("asked", "fixed", "accepted", "usual", "language"),
    [
        ("fr", "en", "en", "en", "fr"),
        ("", "fr", "en-GB,en;q=0.9", "en", "fr"),
        ("", None, "fr-CM,fr;q=0.9,en;q=0.8", "en", "fr"),
        ("", None, "en;q=0.8,fr;q=0.9", "fr", "en"),
        ("", None, "de-DE", "fr", "fr"),
        ("", None, "fr;q=0, en", "fr", "en"),
        ("xx", "yy", "", "", "en"),
    ],
)
def test_the_language_of_a_page(
    asked: str, fixed: str | None, accepted: str, usual: str, language: str
) -> None:
    """The payer's click, then the merchant's word, then the browser's, then the market's."""
    chosen = choose_language(asked=asked, fixed=fixed, accepted=accepted, usual=usual)

    assert chosen == language


def test_both_languages_say_everything() -> None:
    """Each sentence is there twice, with the same values in it."""
    uneven = {
        name
        for name, words in WORDS.items()
        if not words.fr
        or sorted(re.findall(r"{\w+}", words.en)) != sorted(re.findall(r"{\w+}", words.fr))
    }

    assert uneven == set()


async def test_a_page_in_french(sqlite_url: str) -> None:
    """Words, amounts and the attribute that tells a screen reader are French."""
    async with whole(sqlite_url) as gateway, client() as http:
        made = await checkout(gateway, amount="12500")
        payer = Payer(gateway, made["url"], http)
        page = await payer.open(**{"accept-language": "fr-CI"})

    assert page.named("html")[0][1]["lang"] == "fr"
    assert "Payer 12 500,00 EUR" in page.text
