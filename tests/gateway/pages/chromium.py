"""A real browser for the tests of the pages, driven over its DevTools."""

from __future__ import annotations

import asyncio
import base64
import itertools
import json
import shutil
import subprocess
import tempfile
import time
import urllib.request
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager
from pathlib import Path
from typing import Any

from websockets.asyncio.client import ClientConnection, connect

CHROMIUM = next(
    filter(None, map(shutil.which, ("chromium", "chromium-browser", "google-chrome"))), ""
)
FLAGS = (
    "--headless", "--no-sandbox", "--disable-gpu", "--disable-dev-shm-usage", "--no-first-run",
    "--disable-background-networking", "--disable-component-update", "--disable-sync",
    "--hide-scrollbars", "--remote-debugging-port=0", "--lang=en",
)  # fmt: skip
PATIENCE_SECONDS = 20.0


class Tab:
    """One tab, as wide as a phone unless it is told otherwise."""

    def __init__(self, connection: ClientConnection) -> None:
        self._connection = connection
        self._numbers = itertools.count(1)
        self.complaints: list[str] = []

    async def tell(self, method: str, **parameters: Any) -> Any:
        """Send a command and wait for its answer; keep what the browser complains of meanwhile."""
        number = next(self._numbers)
        message = json.dumps({"id": number, "method": method, "params": parameters})
        await self._connection.send(message)
        while True:
            async with asyncio.timeout(PATIENCE_SECONDS):
                heard = json.loads(await self._connection.recv())
            if heard.get("id") == number:
                return heard.get("result", {})
            if heard.get("method") in ("Log.entryAdded", "Runtime.exceptionThrown"):
                self.complaints.append(json.dumps(heard["params"]))

    async def open(self, url: str) -> None:
        """Go to an address, and wait until it is there."""
        await self.tell("Page.navigate", url=url)
        until = time.monotonic() + PATIENCE_SECONDS
        while await self.run("document.readyState + location.href") != f"complete{url}":
            assert time.monotonic() < until, f"{url} does not open"
            await asyncio.sleep(0.05)

    async def run(self, script: str) -> Any:
        """Evaluate an expression in the page."""
        answer = await self.tell("Runtime.evaluate", expression=script)
        return answer.get("result", {}).get("value")

    async def phase(self) -> str:
        """Where the page says that it stands."""
        found = await self.run("document.getElementById('live')?.dataset.phase || ''")
        return str(found or "")

    async def wait_for(self, phase: str) -> None:
        """Wait until the page stands there, or fail with where it stands."""
        until = time.monotonic() + PATIENCE_SECONDS
        while (now := await self.phase()) != phase:
            assert time.monotonic() < until, f"it stands at {now!r}, not at {phase!r}"
            await asyncio.sleep(0.05)

    async def type(self, field: str, text: str) -> None:
        """Type into a field, a key at a time."""
        await self.run(f"document.getElementById({field!r}).focus()")
        for character in text:
            await self.tell("Input.dispatchKeyEvent", type="char", text=character)

    async def press(self, *, times: int = 1) -> None:
        """Press the button of the form, as a finger does."""
        where = "document.querySelector('form button').getBoundingClientRect()"
        await self.run("document.querySelector('form button').scrollIntoView()")
        x, y = [await self.run(f"{where}.{side}") + 5 for side in ("x", "y")]
        for kind in ("mousePressed", "mouseReleased") * times:
            await self.tell(
                "Input.dispatchMouseEvent", type=kind, x=x, y=y, button="left", clickCount=1
            )

    async def size(self, width: int, height: int = 844) -> None:
        """Be as wide and high as a screen."""
        await self.tell(
            "Emulation.setDeviceMetricsOverride", width=width, height=height, deviceScaleFactor=1,
            mobile=width < 600,
        )  # fmt: skip

    async def picture(self) -> bytes:
        """Take a picture of the page."""
        answer = await self.tell("Page.captureScreenshot", captureBeyondViewport=True)
        return base64.b64decode(answer["data"])


@contextmanager
def chromium() -> Iterator[str]:
    """Start a browser with an empty home, and give the address of its DevTools."""
    with tempfile.TemporaryDirectory(ignore_cleanup_errors=True) as home:
        arguments = [CHROMIUM, *FLAGS, f"--user-data-dir={home}", "about:blank"]
        with subprocess.Popen(
            arguments, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
        ) as process:
            try:
                yield f"http://127.0.0.1:{_port(Path(home))}"
            finally:
                process.terminate()


@asynccontextmanager
async def tab(devtools: str, *, script: bool = True) -> AsyncIterator[Tab]:
    """Open a new tab; without `script`, one that runs none."""

    def new() -> str:
        request = urllib.request.Request(f"{devtools}/json/new?about:blank", method="PUT")
        with urllib.request.urlopen(request) as answer:
            return str(json.load(answer)["webSocketDebuggerUrl"])

    async with connect(await asyncio.to_thread(new), max_size=2**24, proxy=None) as connection:
        one = Tab(connection)
        for domain in ("Log", "Runtime", "Page"):
            await one.tell(f"{domain}.enable")
        await one.size(390)
        if not script:
            await one.tell("Emulation.setScriptExecutionDisabled", value=True)
        yield one
        await one.tell("Page.close")


def _port(home: Path) -> int:
    until = time.monotonic() + PATIENCE_SECONDS
    written = home / "DevToolsActivePort"
    while not (written.exists() and written.read_text().strip()):
        assert time.monotonic() < until, "the browser did not start"
        time.sleep(0.05)
    return int(written.read_text().split()[0])
