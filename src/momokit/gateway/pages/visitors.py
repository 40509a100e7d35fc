"""Who asks for a page: their address, and whether their form is ours."""

from __future__ import annotations

import ipaddress
from typing import Any
from urllib.parse import urlsplit

from litestar import Request


def visitor_of(request: Request[Any, Any, Any], *, behind_proxy: bool) -> str:
    """Name the network a request comes from, to count by.

    Behind a proxy that is the last address in X-Forwarded-For: the one the proxy wrote itself.
    An IPv6 visitor has a whole /64 to ask from, so that is one visitor.
    """
    address = request.client.host if request.client is not None else ""
    if behind_proxy:
        address = request.headers.get("x-forwarded-for", "").rpartition(",")[2].strip() or address
    try:
        parsed = ipaddress.ip_address(address)
    except ValueError:
        return "unknown"
    if isinstance(parsed, ipaddress.IPv6Address):
        return str(ipaddress.ip_network((parsed, 64), strict=False))
    return str(parsed)


def came_from_elsewhere(request: Request[Any, Any, Any], public_url: str | None) -> bool:
    """Tell whether a form was sent by another site's page, as every browser of today says.

    No cookie stands behind these pages, so that such a form could do no more than its sender: this
    keeps other sites from having their visitors' browsers do it.
    """
    site = request.headers.get("sec-fetch-site", "")
    if site:
        return site not in ("same-origin", "none")
    origin = request.headers.get("origin")
    if origin is None:
        return False
    own = {request.headers.get("host", "")}
    if public_url is not None:
        own.add(urlsplit(public_url).netloc)
    return urlsplit(origin).netloc not in own
