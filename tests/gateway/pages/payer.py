"""A payer with a browser without a window: opens pages, fills in their forms, reads them."""

from __future__ import annotations

from dataclasses import dataclass, field
from html.parser import HTMLParser
from typing import Any

import httpx2

from tests.gateway.journeys.whole import PAYER, Whole


class Reader(HTMLParser):
    """Reads a page as a browser would: its elements, its text, and what its form would send."""

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
        return " ".join(" ".join(self.texts).replace("\xa0", " ").split())

    @property
    def phase(self) -> str:
        """Where the page says that the checkout stands."""
        found = [attributes.get("data-phase") for _, attributes in self.elements]
        return next((one for one in found if one), "")

    @property
    def hidden(self) -> dict[str, str]:
        """What the form sends that nobody sees."""
        return {
            str(attributes["name"]): str(attributes["value"])
            for name, attributes in self.named("input")
            if attributes.get("type") == "hidden"
        }

    def named(self, tag: str) -> list[tuple[str, dict[str, str | None]]]:
        """Give every element of one kind."""
        return [one for one in self.elements if one[0] == tag]

    def links(self) -> list[str]:
        """Where the page leads."""
        return [str(attributes.get("href")) for _, attributes in self.named("a")]


@dataclass
class Payer:
    """Opens one page of a gateway. It has no key: only the address."""

    gateway: Whole
    url: str
    http: httpx2.AsyncClient
    form: dict[str, str] = field(default_factory=dict)
    page: Reader = field(default_factory=lambda: Reader(""))

    async def open(self, **headers: str) -> Reader:
        """Open the page; remember what its form would send."""
        answer = await self.http.get(self.url, headers=headers)
        assert answer.status_code == 200, answer.text
        self.page = Reader(answer.text)
        self.form = self.page.hidden
        return self.page

    async def pay(self, phone: str = PAYER, **fields: str) -> httpx2.Response:
        """Send the form of the page as it was opened; follow where that leads."""
        answer = await self.send(phone, **fields)
        if answer.status_code == 303:
            self.url = str(answer.url.join(answer.headers["location"]))
            await self.open()
        return answer

    async def send(self, phone: str = PAYER, **fields: str) -> httpx2.Response:
        """Send the form, and stay where we are."""
        return await self.http.post(self.url, data={**self.form, "phone": phone, **fields})


async def checkout(gateway: Whole, **fields: Any) -> dict[str, Any]:
    """Make a checkout."""
    answer = await gateway.post("/v1/checkouts", {"amount": "5", **fields})
    assert answer.status_code == 201, answer.text
    made: dict[str, Any] = answer.json()
    return made


async def invoice(gateway: Whole, *, send: bool = True, **fields: Any) -> dict[str, Any]:
    """Make an invoice, and send it by its page."""
    answer = await gateway.post("/v1/invoices", {"amount": "10", **fields})
    assert answer.status_code == 201, answer.text
    made: dict[str, Any] = answer.json()
    if send:
        sent = await gateway.post(f"/v1/invoices/{made['id']}/send", {})
        assert sent.status_code == 200, sent.text
        made = sent.json()
    return made


async def read(gateway: Whole, path: str) -> dict[str, Any]:
    """Read something by the API."""
    answer = await gateway.http.get(path)
    assert answer.status_code == 200, answer.text
    found: dict[str, Any] = answer.json()
    return found
