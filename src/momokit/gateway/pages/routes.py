"""The pages of payers: pay, follow, print. Open to whoever has a page's address, and to no other.

A page asks the store alone; it never asks MTN. What a payer sends goes through the step that takes
in every payment.
"""

from __future__ import annotations

import hashlib
import io
import logging
import re
import secrets
import uuid
from collections.abc import Callable, Sequence
from typing import Any, Protocol
from urllib.parse import urlencode

import segno
from litestar import Request, Response, get, post
from litestar.exceptions import HTTPException
from litestar.response import Redirect
from litestar.types import ControllerRouterHandler

from momokit.errors import InvalidInput
from momokit.gateway.core.checkout import DAY, Phase
from momokit.gateway.core.numbers import number_form
from momokit.gateway.core.payment import State
from momokit.gateway.pages.paper import printed_invoice, receipt_of
from momokit.gateway.pages.screen import Problems, screen_of
from momokit.gateway.pages.show import HEADERS, Show
from momokit.gateway.pages.throttle import Throttle
from momokit.gateway.pages.visitors import came_from_elsewhere, visitor_of
from momokit.gateway.pages.words import Speech, choose_language
from momokit.gateway.steps.accept import Refusal, accept
from momokit.gateway.steps.checkout import Wish, look, pay
from momokit.gateway.store.attempts import Seen, paid_payments
from momokit.gateway.store.links import CHECKOUT, LINK, Checkout, find_by_token
from momokit.gateway.store.store import Store
from momokit.market import Market
from momokit.operations.forms import Forms
from momokit.party import Party

Asked = Request[Any, Any, Any]
Page = Response[Any]
FORM_LIMIT_BYTES = 8192
_TOKEN = re.compile(r"[A-Za-z0-9_-]{43}")
_PARTY_FIELDS = ("party", "payer", "msisdn")
_log = logging.getLogger(__name__)


class Accounts(Protocol):
    """The accounts, as the composition root keeps them."""

    def forms_of(self, account_id: str, /) -> Forms:
        """Give the forms of an account's market."""
        ...


class Lost(Exception):
    """There is no such page."""


class Wait(Exception):
    """This was asked for too often."""

    def __init__(self, seconds: float) -> None:
        super().__init__()
        self.seconds = seconds


class Pages:
    """Answers what is asked of the pages. Make it once; `handlers` are its routes."""

    def __init__(
        self,
        *,
        store: Store,
        book: Any,
        public_url: str | None,
        behind_proxy: bool = False,
        throttle: Throttle | None = None,
        new_token: Callable[[], str] = lambda: secrets.token_urlsafe(32),
    ) -> None:
        self._store = store
        self._book = book
        self._public_url = public_url
        self._behind_proxy = behind_proxy
        self._throttle = throttle or Throttle()
        self._new_token = new_token
        self._salt = secrets.token_bytes(16)
        self._show = Show()

    @property
    def handlers(self) -> Sequence[ControllerRouterHandler]:
        """Give the routes, to be served beside those of the API."""
        failures: Any = {Lost: self._lost, Wait: self._wait, Exception: self._broken}
        plain: dict[str, Any] = {"include_in_schema": False, "exception_handlers": failures}
        return [
            get("/pay/{token:str}", **plain)(self.page),
            post(
                "/pay/{token:str}", request_max_body_size=FORM_LIMIT_BYTES, status_code=200, **plain
            )(self.begin),
            get("/pay/{token:str}/receipt", **plain)(self.receipt),
            get("/pay/{token:str}/invoice", **plain)(self.invoice),
            get("/pay/{token:str}/qr.svg", **plain)(self.qr),
            get("/assets/{name:str}", **plain)(self.asset),
        ]

    async def page(self, request: Asked) -> Page:
        """Show where a checkout stands."""
        checkout = await self._find(request)
        return await self._drawn(request, await look(checkout, store=self._store))

    async def begin(self, request: Asked) -> Page:
        """Begin to pay, once for each attempt the page knew of; then show the page anew."""
        if came_from_elsewhere(request, self._public_url):
            speech = self._speech(request, None)
            return self._sorry(request, speech, "foreign", status=403)
        checkout = await self._find(request, kind="try")
        form = await request.form()
        speech = self._speech(request, checkout)
        visit = str(form.get("visit", ""))
        target = checkout
        if checkout.kind == LINK:
            if not _TOKEN.fullmatch(visit):
                return self._back(request, checkout)
            target = await self._visited(checkout, visit)
        self._take("token", target.token)
        wish = Wish(
            checkout=target,
            number=_number(str(form.get("attempt", ""))),
            phone=str(form.get("phone", ""))[:64].strip(),
            amount=str(form.get("amount", ""))[:64] or None,
        )
        now = await look(target, store=self._store)
        if now.tries != wish.number or now.phase is not Phase.OPEN:
            # A form that was sent before, or came late: the page of what is there, and no ringing.
            return self._back(request, self._page_of(now, checkout))
        problems = self._ring(wish, speech)
        if problems is None:
            try:
                seen = await pay(
                    wish, store=self._store, accept=accept, public_url=self._public_url,
                    book=self._book,
                )  # fmt: skip
                return self._back(request, self._page_of(seen, checkout))
            except InvalidInput as error:
                problems = self._explained(error, speech, target)
            except Refusal as refusal:
                name = "twin" if refusal.code == "possible_duplicate" else "busy"
                problems = Problems(whole=speech(name))
        seen = await look(checkout, store=self._store)
        return await self._drawn(request, seen, problems=problems, visit=visit or None)

    async def receipt(self, request: Asked) -> Page:
        """Show the receipt of the last payment that was successful."""
        checkout = await self._find(request)
        seen = await look(checkout, store=self._store)
        paid = await self._store.read(lambda t: paid_payments(t, checkout))
        speech = self._speech(request, checkout)
        if not paid:
            raise Lost
        receipt = receipt_of(paid[-1], seen, speech=speech)
        return self._show.page(
            "receipt.html", speech=speech, receipt=receipt, **self._around(request, speech)
        )

    async def invoice(self, request: Asked) -> Page:
        """Show the invoice that a page belongs to, to print it."""
        checkout = await self._find(request)
        seen = await look(checkout, store=self._store)
        if seen.invoice is None:
            raise Lost
        paid = await self._store.read(lambda t: paid_payments(t, checkout))
        speech = self._speech(request, checkout)
        printed = printed_invoice(seen.invoice, seen.standing, paid, now=seen.now, speech=speech)
        return self._show.page(
            "invoice.html", speech=speech, invoice=printed, **self._around(request, speech)
        )

    async def qr(self, request: Asked) -> Page:
        """Draw a page's address, for a poster or a counter."""
        checkout = await self._find(request)
        root = self._public_url or str(request.base_url).rstrip("/")
        drawn = io.BytesIO()
        segno.make(f"{root}/pay/{checkout.token}", error="m", micro=False).save(
            drawn, kind="svg", scale=8, border=4, light="#fff", xmldecl=False
        )
        return Response(drawn.getvalue(), media_type="image/svg+xml", headers=dict(HEADERS))

    async def asset(self, request: Asked) -> Page:
        """Give what pages load."""
        found = self._show.asset(request.path_params["name"])
        if found is None:
            raise Lost
        return found

    async def _find(self, request: Asked, *, kind: str = "read") -> Checkout:
        self._take(kind, visitor_of(request, behind_proxy=self._behind_proxy))
        token = request.path_params["token"]
        if not _TOKEN.fullmatch(token):
            raise Lost
        found = await self._store.read(lambda t: find_by_token(t, token))
        if found is None:
            raise Lost
        return found

    def _page_of(self, seen: Seen, asked: Checkout) -> Checkout:
        """Give the page to go on with: where a link was closed meanwhile, that link's."""
        return seen.checkout if seen.checkout.created_at > 0 else asked

    async def _visited(self, link: Checkout, visit: str) -> Checkout:
        """Give the checkout that a link makes for one payer; stored with their first attempt."""
        found = await self._store.read(lambda t: find_by_token(t, visit))
        if found is not None:
            return found
        now = await self._store.now()
        return Checkout(
            id=f"chk_{uuid.uuid4().hex}",
            kind=CHECKOUT,
            account_id=link.account_id,
            token=visit,
            currency=link.currency,
            merchant_name=link.merchant_name,
            description=link.description,
            return_url=link.return_url,
            metadata=link.metadata,
            amount=link.amount,
            least=link.least,
            most=link.most,
            merchant_reference=link.merchant_reference,
            language=link.language,
            link_id=link.id,
            expires_at=now + DAY,
            api_key_id=link.api_key_id,
        )

    def _ring(self, wish: Wish, speech: Speech) -> Problems | None:
        """Refuse to ring the same phone again and again, whoever asks and on whatever page."""
        market = self._market(wish.checkout)
        try:
            party = Party.msisdn(wish.phone, market=market)
        except InvalidInput as error:
            return self._explained(error, speech, wish.checkout)
        self._take("party", hashlib.sha256(self._salt + party.id.encode()).hexdigest())
        return None

    def _take(self, kind: str, who: str) -> None:
        wait = self._throttle.wait(kind, who)
        if wait > 0:
            raise Wait(wait)

    def _explained(self, error: InvalidInput, speech: Speech, checkout: Checkout) -> Problems:
        field = error.field.partition(".")[0]
        if field in _PARTY_FIELDS:
            market = self._market(checkout)
            example = number_form(market).example
            return Problems(phone=speech("bad_phone", country=market.country, example=example))
        if field == "amount":
            return Problems(amount=speech("bad_amount"))
        return Problems(whole=speech("busy"))

    async def _drawn(
        self, request: Asked, seen: Seen, *, problems: Problems | None = None,
        visit: str | None = None,
    ) -> Page:  # fmt: skip
        checkout = seen.checkout
        speech = self._speech(request, checkout)
        if checkout.kind == LINK and seen.phase is Phase.OPEN:
            visit = visit or self._new_token()
        screen = screen_of(seen, market=self._market(checkout), speech=speech, visit=visit)
        paid = seen.payment is not None and seen.payment.state is State.SUCCESSFUL
        return self._show.page(
            "pay.html",
            speech=speech,
            status=422 if problems is not None else 200,
            known=request.headers.get("if-none-match"),
            screen=screen,
            problems=problems or Problems(),
            has_receipt=paid,
            **self._around(request, speech),
        )

    def _around(self, request: Asked, speech: Speech) -> dict[str, Any]:
        root = f"/pay/{request.path_params.get('token', '')}"
        asked = request.query_params.get("lang", "")
        query = f"?{urlencode({'lang': asked})}" if asked in ("en", "fr") else ""
        return {
            "root": root,
            "query": query,
            "switch": f"{request.scope['path']}?{urlencode({'lang': speech.other})}",
        }

    def _back(self, request: Asked, checkout: Checkout) -> Page:
        asked = request.query_params.get("lang", "")
        query = f"?{urlencode({'lang': asked})}" if asked in ("en", "fr") else ""
        return Redirect(f"/pay/{checkout.token}{query}", status_code=303, headers=dict(HEADERS))

    def _market(self, checkout: Checkout) -> Market:
        market: Market = self._book.forms_of(checkout.account_id).market
        return market

    def _speech(self, request: Asked, checkout: Checkout | None) -> Speech:
        usual = self._market(checkout).languages[0] if checkout is not None else "en"
        return Speech(
            choose_language(
                asked=request.query_params.get("lang", ""),
                fixed=checkout.language if checkout is not None else None,
                accepted=request.headers.get("accept-language", ""),
                usual=usual,
            )
        )

    def _sorry(
        self,
        request: Asked,
        speech: Speech,
        name: str,
        *,
        status: int,
        wait: float = 0,
        **more: str,
    ) -> Page:
        headers = {"retry-after": str(int(wait) + 1)} if wait else {}
        return self._show.page(
            "sorry.html", speech=speech, status=status, headers=headers, title=speech(name),
            more=speech(f"{name}_more", **more), switch=self._around(request, speech)["switch"],
        )  # fmt: skip

    def _lost(self, request: Asked, _: Exception) -> Page:
        return self._sorry(request, self._speech(request, None), "lost", status=404)

    def _wait(self, request: Asked, failed: Wait) -> Page:
        minutes = str(int(failed.seconds // 60) + 1)
        speech = self._speech(request, None)
        return self._sorry(
            request, speech, "too_often", status=429, wait=failed.seconds, minutes=minutes
        )

    def _broken(self, request: Asked, failed: Exception) -> Page:
        status = failed.status_code if isinstance(failed, HTTPException) else 500
        if status >= 500:
            # What an error says may hold a number; its kind does not.
            _log.error("a page failed: %s", type(failed).__name__)
        speech = self._speech(request, None)
        return self._sorry(request, speech, "broken", status=status)


def _number(text: str) -> int:
    return int(text) if text.isascii() and text.isdigit() and len(text) <= 4 else -1
