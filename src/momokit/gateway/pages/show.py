"""How a page is drawn and sent: templates, the style sheet and the script, and the headers."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from importlib.resources import files
from typing import Any

from jinja2 import Environment, PackageLoader, StrictUndefined
from litestar import Response

from momokit.gateway.pages.words import Speech

_YEAR_SECONDS = 31_536_000
_TYPES = {"css": "text/css", "js": "text/javascript", "svg": "image/svg+xml"}
HEADERS: Mapping[str, str] = {
    "content-security-policy": (
        "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; "
        "connect-src 'self'; form-action 'self'; base-uri 'none'; frame-ancestors 'none'"
    ),
    "x-content-type-options": "nosniff",
    "x-frame-options": "DENY",
    # The address of a page is its key: no other site is told where a visitor came from. With
    # no-referrer browsers would send `Origin: null` with our own forms.
    "referrer-policy": "same-origin",
    "permissions-policy": "camera=(), geolocation=(), microphone=(), payment=()",
    "cross-origin-opener-policy": "same-origin",
    "x-robots-tag": "noindex, nofollow",
    "cache-control": "no-store",
    "vary": "Accept-Language",
}


class Show:
    """Draws pages. `assets` are what they load, each under an address that changes with it."""

    def __init__(self) -> None:
        self.assets = _read_assets()
        versions = {name: _digest(content)[:12] for name, (content, _) in self.assets.items()}
        self._templates = Environment(
            loader=PackageLoader("momokit.gateway.pages"),
            autoescape=True,
            undefined=StrictUndefined,
            trim_blocks=True,
            lstrip_blocks=True,
        )
        self._templates.globals["asset"] = lambda name: f"/assets/{name}?v={versions[name]}"

    def page(
        self,
        template: str,
        *,
        speech: Speech,
        status: int = 200,
        headers: Mapping[str, str] | None = None,
        known: str | None = None,
        **values: Any,
    ) -> Response[Any]:
        """Draw a page; nothing but a 304 when the browser has it already (`known`, an ETag)."""
        text = self._templates.get_template(template).render(t=speech, **values).encode()
        tag = f'"{_digest(text)[:20]}"'
        all_headers = {
            **HEADERS,
            "content-language": speech.language,
            "etag": tag,
            **(headers or {}),
        }
        if known == tag and status == 200:
            return Response(None, status_code=304, headers=all_headers)
        return Response(text, status_code=status, media_type="text/html", headers=all_headers)

    def asset(self, name: str) -> Response[Any] | None:
        """Give what a page loads; it may be kept for ever, as its address changes with it."""
        found = self.assets.get(name)
        if found is None:
            return None
        content, media_type = found
        kept = {"cache-control": f"public, max-age={_YEAR_SECONDS}, immutable"}
        return Response(content, media_type=media_type, headers={**HEADERS, **kept})


def _read_assets() -> dict[str, tuple[bytes, str]]:
    folder = files("momokit.gateway.pages") / "static"
    return {
        each.name: (each.read_bytes(), _TYPES[each.name.rpartition(".")[2]])
        for each in folder.iterdir()
        if each.name.rpartition(".")[2] in _TYPES
    }


def _digest(content: bytes) -> str:
    return hashlib.sha256(content).hexdigest()
