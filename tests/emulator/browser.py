"""A browser without a window for the tests of the pages: it asks, keeps cookies and reads."""

from __future__ import annotations

import asyncio
from html.parser import HTMLParser
from typing import Any
from urllib.parse import urlencode

import httpx2

from momokit.emulator import Emulator, create_app
from momokit.emulator.pages import create_pages

from .caller import ORDINARY, Caller

HOST = "emulator.test:8701"


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
