"""The OpenAPI document and the page that shows it, with nothing loaded from elsewhere."""

from __future__ import annotations

from html import escape
from typing import Any

import msgspec
from litestar import MediaType, Request, Response, get
from litestar.openapi.config import OpenAPIConfig
from litestar.openapi.plugins import JsonRenderPlugin, OpenAPIRenderPlugin
from litestar.openapi.spec import Components, License, SecurityScheme, Tag
from litestar.router import Router

from momokit._version import __version__
from momokit.gateway.api.bodies import Strict
from momokit.gateway.api.problems import CODES

_ABOUT = """\
Post a payment and be told the truth about it, once. Amounts are text in the currency's main unit.
Every POST that moves money takes an `Idempotency-Key`: repeat the request with the same key after
any doubt. Errors are RFC 9457 problems; branch on `code`. Times are ISO 8601 in UTC.
"""

_STYLE = (
    "body{font:16px/1.5 system-ui,sans-serif;max-width:56rem;margin:2rem auto;padding:0 1rem}"
    "code{background:#8882;padding:.1em .3em;border-radius:3px}summary{cursor:pointer;padding:.3em}"
    "td,th{text-align:left;padding:.2rem .8rem .2rem 0;vertical-align:top}b.m{display:inline-block;"
    "width:4.5rem}:root{color-scheme:light dark}"
)
PAGE_POLICY = "default-src 'none'; style-src 'unsafe-inline'; base-uri 'none'; form-action 'none'"
_METHODS = ("get", "post", "put", "patch", "delete")
_REFERENCE = "#/components/schemas/{name}"
_TAGS = (
    Tag("Payments", description="Make, read, follow, take back, give back."),
    Tag("Checkout", description="Pages to pay on, and links that lead to them."),
    Tag("Invoices", description="Bills that are followed until they are paid."),
    Tag("Batches", description="Files of payments: checked, signed by two persons, then paid."),
    Tag("Reconciliation", description="MTN's statements, and what does not agree with them."),
    Tag("Accounts", description="Accounts with MTN, balances, account holders."),
    Tag("Money", description="The kill switch: all money stopped at once, and let go again."),
    Tag("Webhooks", description="Where we tell you, and what was told."),
    Tag("Shop", description="Two endpoints for a simple shop."),
    Tag("Health", description="For load balancers and supervisors."),
)


class DocsPage(OpenAPIRenderPlugin):
    """Draws the document as one page of plain HTML."""

    def __init__(self) -> None:
        super().__init__(path="/", media_type=MediaType.HTML)

    def render(self, request: Request[Any, Any, Any], openapi_schema: dict[str, Any]) -> bytes:
        """Draw the page."""
        del request  # The page is the same for all.
        return page(finished(openapi_schema)).encode()

    def receive_router(self, router: Router) -> None:
        """Take the router; this page has no other routes."""


class Document(JsonRenderPlugin):
    """Serves the document beside the page; the same as at /openapi.json."""

    def render(self, request: Request[Any, Any, Any], openapi_schema: dict[str, Any]) -> bytes:
        """Write the document."""
        return super().render(request, finished(openapi_schema))


def config() -> OpenAPIConfig:
    """Make the settings of the document; the page is at /docs."""
    bearer = SecurityScheme(
        type="http",
        scheme="bearer",
        description="An API key, mk_live_… or mk_test_…, made with: momo gateway keys create",
    )
    return OpenAPIConfig(
        title="momokit gateway",
        version=__version__,
        description=_ABOUT,
        license=License(name="Apache-2.0", identifier="Apache-2.0"),
        security=[{"apiKey": []}],
        components=Components(security_schemes={"apiKey": bearer}),
        tags=list(_TAGS),
        use_handler_docstrings=True,
        path="/docs",
        render_plugins=[DocsPage(), Document()],
    )


@get("/openapi.json", include_in_schema=False, sync_to_thread=False)
def openapi_json(request: Request[Any, Any, Any]) -> Response[bytes]:
    """Serve the document."""
    schema = finished(request.app.openapi_schema.to_schema())
    return Response(msgspec.json.encode(schema), media_type="application/json")


def finished(schema: dict[str, Any]) -> dict[str, Any]:
    """Say in the document what the code checks later than the framework could."""
    # The framework leaves out what a body refuses; the library that reads bodies knows it all.
    _, bodies = msgspec.json.schema_components(Strict.__subclasses__(), ref_template=_REFERENCE)
    schema["components"]["schemas"].update(bodies)
    for path, item in schema["paths"].items():
        for method in _METHODS:
            operation = item.get(method)
            if operation is None:
                continue
            if "401" not in operation["responses"]:
                operation["security"] = []  # Open to all: the framework drops an empty list.
            for parameter in operation.get("parameters", []):
                if parameter["name"] == "Idempotency-Key":
                    parameter["required"] = path.startswith("/v1/")
                    parameter["schema"] = {"type": "string", "minLength": 1, "maxLength": 255}
    return schema


def page(schema: dict[str, Any]) -> str:
    """Draw the document as HTML."""
    parts = [_section(schema, tag.name, tag.description or "") for tag in _TAGS]
    codes = "".join(
        f"<tr><td><code>{code}</code><td>{status}<td>{escape(title)}<td>{escape(hint)}"
        for code, (status, title, hint) in CODES.items()
    )
    return (
        f"<!doctype html><html lang=en><meta charset=utf-8><title>momokit gateway</title>"
        f"<meta name=viewport content='width=device-width'><style>{_STYLE}</style>"
        f"<h1>momokit gateway</h1><p>{escape(_ABOUT)}"
        f"<p>The whole document: <a href=/openapi.json>/openapi.json</a>"
        f"{''.join(parts)}<h2>Problems</h2>"
        f"<table><tr><th>code<th>status<th>what<th>your move{codes}"
        f"</table></html>"
    )


def _section(schema: dict[str, Any], tag: str, about: str) -> str:
    rows = [
        _operation(path, method, item[method])
        for path, item in schema["paths"].items()
        for method in _METHODS
        if tag in item.get(method, {}).get("tags", [])
    ]
    return f"<h2>{escape(tag)}</h2><p>{escape(about)}{''.join(rows)}"


def _operation(path: str, method: str, operation: dict[str, Any]) -> str:
    fields = "".join(
        f"<tr><td><code>{escape(one['name'])}</code><td>{one['in']}"
        f"<td>{'required' if one.get('required') else ''}<td>{escape(one.get('description') or '')}"
        for one in operation.get("parameters", [])
    )
    return (
        f"<details><summary><b class=m>{method.upper()}</b><code>{escape(path)}</code> "
        f"{escape(operation.get('summary') or '')}</summary>"
        f"<p>{escape(operation.get('description') or '')}<table>{fields}</table></details>"
    )
