"""Posts callbacks to the addresses they are for, in the background of the edge."""

from __future__ import annotations

import asyncio
import contextlib
import ssl
from urllib.parse import quote, urlsplit

from .engine import Emulator
from .state import Callback

_ASK_EVERY_SECONDS = 0.02
_AT_ONCE = 64
_DRAIN_SECONDS = 0.2
_LINE_LIMIT_BYTES = 65_536


class Deliverer:
    """Takes due callbacks from an emulator and delivers them until it is stopped."""

    def __init__(self, emulator: Emulator) -> None:
        self._emulator = emulator
        self._under_way: set[asyncio.Task[None]] = set()

    async def run(self) -> None:
        """Deliver what is due, for ever; cancel the task to stop."""
        try:
            while True:
                room = _AT_ONCE - len(self._under_way)
                for callback in self._emulator.due_callbacks(limit=room) if room > 0 else ():
                    task = asyncio.create_task(self._deliver(callback))
                    self._under_way.add(task)
                    task.add_done_callback(self._under_way.discard)
                await asyncio.sleep(_ASK_EVERY_SECONDS)
        finally:
            for task in self._under_way:
                task.cancel()
            await asyncio.gather(*self._under_way, return_exceptions=True)

    async def _deliver(self, callback: Callback) -> None:
        status, error = 0, ""
        verify = self._emulator.settings.callback_verify_tls
        try:
            async with asyncio.timeout(callback.timeout_seconds):
                status = await post(callback, verify_tls=verify)
        except TimeoutError:
            error = f"no answer within {callback.timeout_seconds:g} s"
        except (OSError, ValueError, EOFError) as failed:
            error = f"{type(failed).__name__}: {failed}"
        self._emulator.callback_done(callback, status=status, error=error)


async def post(callback: Callback, *, verify_tls: bool) -> int:
    """Make one delivery and give the status that came back.

    Raises OSError, EOFError or ValueError when nothing that is HTTP came back.
    """
    parts = urlsplit(callback.url)
    secure = parts.scheme == "https"
    port = parts.port or (443 if secure else 80)
    reader, writer = await asyncio.open_connection(
        parts.hostname, port, ssl=_context(verify=verify_tls) if secure else None
    )
    try:
        target = quote(parts.path or "/", safe="/%:@!$&'()*+,;=~")
        if parts.query:
            target += "?" + quote(parts.query, safe="/%:@!$&'()*+,;=?~")
        lines = [
            f"{callback.method} {target} HTTP/1.1",
            f"Host: {parts.netloc.rpartition('@')[2]}",
            *(f"{name}: {value}" for name, value in callback.headers),
            f"Content-Length: {len(callback.body)}",
            "Connection: close",
        ]
        writer.write("\r\n".join(lines).encode() + b"\r\n\r\n" + callback.body)
        await writer.drain()
        version, _, rest = (await reader.readline()).decode("latin-1").partition(" ")
        if not version.startswith("HTTP/"):
            raise EOFError("the answer is not HTTP")
        with contextlib.suppress(TimeoutError, OSError):
            async with asyncio.timeout(_DRAIN_SECONDS):
                await reader.read(_LINE_LIMIT_BYTES)
        return int(rest[:3])
    finally:
        writer.close()
        with contextlib.suppress(OSError):
            await writer.wait_closed()


def _context(*, verify: bool) -> ssl.SSLContext:
    context = ssl.create_default_context()
    if not verify:
        context.check_hostname = False
        context.verify_mode = ssl.CERT_NONE
    return context
