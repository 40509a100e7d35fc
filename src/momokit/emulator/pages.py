"""The emulator's pages for people: what happened, one payment's story, and the payer's phone."""

from __future__ import annotations

import hashlib
import re
from importlib.resources import files
from typing import Any
from urllib.parse import quote, urlencode, urlsplit

from jinja2 import Environment, PackageLoader, StrictUndefined
from litestar import Litestar, Request, Response, get, post
from litestar.datastructures import Cookie
from litestar.exceptions import HTTPException
from litestar.response import Redirect
from markupsafe import Markup

from . import overview, phone
from .engine import Emulator, UnknownReference
from .exchange import Request as ProviderRequest
from .page_show import read_number
from .page_words import Words, choose_language

_COOKIE = "momo_lang"
_YEAR_SECONDS = 31_536_000
_FORM_LIMIT_BYTES = 16_384
_PAGE_DIGITS = 6
_HOST = re.compile(r"[A-Za-z0-9.:\[\]_-]{1,255}")
_STATIC_TYPES = {"css": "text/css", "js": "text/javascript", "svg": "image/svg+xml"}
SECURITY_HEADERS = {
    "content-security-policy": (
        "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; "
        "connect-src 'self'; form-action 'self'; base-uri 'none'; frame-ancestors 'none'"
    ),
    "x-content-type-options": "nosniff",
    # Not no-referrer: with that, browsers send `Origin: null` with our own forms.
    "referrer-policy": "same-origin",
    "cache-control": "no-store",
}

Asked = Request[Any, Any, Any]
Page = Response[Any]


def create_pages(emulator: Emulator) -> Litestar:
    """Make the application that serves the pages of one emulator, for `create_app(pages=…)`."""
    pages = _Pages(emulator)
    return Litestar(
        route_handlers=[
            get("/")(pages.front),
            post("/approval", request_max_body_size=_FORM_LIMIT_BYTES)(pages.approval),
            get("/payments/{reference_id:str}")(pages.payment),
            get("/phone")(pages.phones),
            # A path, because a party's identifier may be anything, with a slash in it too.
            get("/phone/{payer:path}")(pages.phone),
            post("/phone/{payer:path}", request_max_body_size=_FORM_LIMIT_BYTES)(pages.decide),
            get("/static/{name:str}")(pages.static),
            # Browsers ask for it unasked; it must not look like a call that went wrong.
            get("/favicon.ico")(pages.icon),
        ],
        exception_handlers={HTTPException: pages.lost, UnknownReference: pages.lost},
        openapi_config=None,
        logging_config=None,
    )


class _Pages:
    """Answers the page requests of one emulator."""

    def __init__(self, emulator: Emulator) -> None:
        self._emulator = emulator
        self._static = _read_static()
        self._templates = Environment(
            loader=PackageLoader(__package__),
            autoescape=True,
            undefined=StrictUndefined,
            trim_blocks=True,
            lstrip_blocks=True,
        )
        self._templates.filters["segment"] = _segment
        self._templates.filters["breakable"] = _breakable
        self._templates.filters["pretty"] = overview.pretty
        versions = {name: _version(content) for name, (content, _) in self._static.items()}
        self._templates.globals["static"] = lambda name: f"/static/{name}?v={versions[name]}"

    async def front(self, request: Asked) -> Page:
        words, query = _words(request), request.query_params
        shown, page = query.get("show", "all"), _page_number(query.get("page", ""))
        seen = overview.front(self._emulator, words=words, shown=shown, page=page)
        return self._show(request, "front.html", front=seen, base_url=_base_url(request))

    async def approval(self, request: Asked) -> Page:
        if not _is_own(request):
            return self._foreign(request)
        form = await request.form()
        approval = "phone" if form.get("approval") == "phone" else "scenario"
        self._emulator.change_settings(approval=approval)
        return Redirect("/phone" if form.get("back") == "phone" else "/", status_code=303)

    async def payment(self, request: Asked) -> Page:
        payment = self._emulator.payment(request.path_params["reference_id"])
        words = _words(request)
        row = overview.row(self._emulator, payment, words=words)
        return self._show(
            request,
            "payment.html",
            row=row,
            facts=overview.facts(self._emulator, payment, words=words),
            story=overview.story(self._emulator, payment, words=words),
        )

    async def phones(self, request: Asked) -> Page:
        entry = request.query_params.get("number", "")
        if entry:
            number = read_number(entry, market=self._emulator.state.market)
            if number:
                return Redirect(f"/phone/{_segment(number)}", status_code=303)
        busy, idle = phone.phones(self._emulator)
        approval = self._emulator.settings.approval
        return self._show(request, "phones.html", busy=busy, idle=idle, approval=approval)

    async def phone(self, request: Asked) -> Page:
        words, query = _words(request), request.query_params
        result = None
        if about := query.get("about", ""):
            said = query.get("said", "done")
            result = phone.outcome(self._emulator, about, said=said, words=words)
        seen = phone.screen(self._emulator, _payer(request), words=words)
        approval = self._emulator.settings.approval
        return self._show(request, "phone.html", screen=seen, result=result, approval=approval)

    async def decide(self, request: Asked) -> Page:
        if not _is_own(request):
            return self._foreign(request)
        form = await request.form()
        reference_id = str(form.get("reference_id", ""))
        decision = str(form.get("decision", ""))
        if decision not in phone.DECISIONS:
            return self.lost(request, UnknownReference())
        pin = str(form.get("pin", "")).strip()
        said = phone.decide(self._emulator, reference_id, decision=decision, pin=pin)
        query = urlencode({"about": reference_id, "said": said})
        return Redirect(f"/phone/{_segment(_payer(request))}?{query}", status_code=303)

    async def static(self, request: Asked) -> Page:
        found = self._static.get(request.path_params["name"])
        if found is None:
            return self.lost(request, UnknownReference())
        content, media_type = found
        headers = {
            **SECURITY_HEADERS,
            "cache-control": f"public, max-age={_YEAR_SECONDS}, immutable",
        }
        return Response(content, media_type=media_type, headers=headers)

    async def icon(self) -> Page:
        return Redirect("/static/icon.svg", status_code=301)

    def lost(self, request: Asked, failed: Exception) -> Page:
        """Answer for what is not there, and for every other request that cannot be served."""
        status = failed.status_code if isinstance(failed, HTTPException) else 404
        if status in (404, 405) and "text/html" not in request.headers.get("accept", ""):
            return self._provider(request)
        return self._show(
            request, "sorry.html", status=status, title="lost", more="lost_more", number=status
        )

    def _provider(self, request: Asked) -> Page:
        # A program that got MTN's path wrong: it hears, and the history shows, what MTN says.
        headers = {name.lower(): value for name, value in request.headers.items()}
        target = ProviderRequest(request.method, request.scope["path"], headers)
        reply = self._emulator.handle(target)
        return Response(reply.body, status_code=reply.status, headers=dict(reply.headers))

    def _foreign(self, request: Asked) -> Page:
        return self._show(
            request, "sorry.html", status=403, title="foreign", more="foreign_more", number=403
        )

    def _show(self, request: Asked, template: str, *, status: int = 200, **values: Any) -> Page:
        words = _words(request)
        asked = request.query_params.get("lang", "")
        kept = []
        if asked == words.language:
            kept.append(Cookie(key=_COOKIE, value=asked, max_age=_YEAR_SECONDS, httponly=True))
        text = self._templates.get_template(template).render(
            t=words, path=request.scope["path"], switch=_switch(request, words=words), **values
        )
        return Response(
            text,
            status_code=status,
            media_type="text/html",
            headers=SECURITY_HEADERS | {"content-language": words.language},
            cookies=kept,
        )


def _words(request: Asked) -> Words:
    return Words(
        choose_language(
            asked=request.query_params.get("lang", ""),
            kept=request.cookies.get(_COOKIE, ""),
            accepted=request.headers.get("accept-language", ""),
        )
    )


def _switch(request: Asked, *, words: Words) -> str:
    query = {**request.query_params.dict(), "lang": [words.other]}
    return f"{quote(request.scope['path'])}?{urlencode(query, doseq=True)}"


def _is_own(request: Asked) -> bool:
    """Whether a form was sent from our own page; a page elsewhere must not drive the phone."""
    site = request.headers.get("sec-fetch-site", "")
    if site:
        return site == "same-origin"
    origin = request.headers.get("origin")
    if origin is None:
        # Every browser names the origin of a form from elsewhere; this is a program.
        return True
    return urlsplit(origin).netloc == request.headers.get("host", "")


def _payer(request: Asked) -> str:
    # Litestar gives the rest of the path with the slash before it.
    return str(request.path_params["payer"]).removeprefix("/")


def _segment(text: str) -> str:
    return quote(text, safe="")


def _breakable(text: str) -> Markup:
    """Let a long code break after its underscores; each part is escaped."""
    return Markup("_<wbr>").join(text.split("_"))


def _page_number(text: str) -> int:
    is_number = text.isascii() and text.isdigit() and len(text) <= _PAGE_DIGITS
    return int(text) if is_number else 0


def _base_url(request: Asked) -> str:
    host = request.headers.get("host", "")
    # What stands here is meant to be pasted into a shell.
    return f"{request.url.scheme}://{host if _HOST.fullmatch(host) else '127.0.0.1'}"


def _read_static() -> dict[str, tuple[bytes, str]]:
    folder = files(__package__) / "static"
    return {
        each.name: (each.read_bytes(), _STATIC_TYPES[each.name.rpartition(".")[2]])
        for each in folder.iterdir()
        if each.name.rpartition(".")[2] in _STATIC_TYPES
    }


def _version(content: bytes) -> str:
    return hashlib.sha256(content).hexdigest()[:12]
