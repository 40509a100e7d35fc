"""The payer's phone and the front page in a real browser, driven over its DevTools."""

from __future__ import annotations

import itertools
import json
import shutil
import subprocess
import tempfile
import time
import urllib.request
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from websockets.sync.client import ClientConnection, connect

from momokit.emulator import Emulator, EmulatorSettings, running
from momokit.emulator.serve import Server

from .caller import ORDINARY, Caller

CHROMIUM = next(
    filter(None, map(shutil.which, ("chromium", "chromium-browser", "google-chrome"))), ""
)
FLAGS = (
    "--headless",
    "--no-sandbox",
    "--disable-gpu",
    "--disable-dev-shm-usage",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--remote-debugging-port=0",
    "--window-size=390,844",
    "--lang=en",
)
PATIENCE_SECONDS = 20.0

pytestmark = [
    pytest.mark.browser,
    pytest.mark.skipif(not CHROMIUM, reason="there is no Chromium on this machine"),
]


class Tab:
    """One tab of a browser."""

    def __init__(self, connection: ClientConnection) -> None:
        self._connection = connection
        self._numbers = itertools.count(1)
        self.complaints: list[str] = []
        self.tell("Log.enable")
        self.tell("Runtime.enable")
        self.tell("Page.enable")

    def tell(self, method: str, **parameters: Any) -> Any:
        """Send a command and wait for its answer; keep what the browser complains of meanwhile."""
        number = next(self._numbers)
        self._connection.send(json.dumps({"id": number, "method": method, "params": parameters}))
        while True:
            message = json.loads(self._connection.recv(timeout=PATIENCE_SECONDS))
            if message.get("id") == number:
                return message["result"]
            if message.get("method") in ("Log.entryAdded", "Runtime.exceptionThrown"):
                self.complaints.append(json.dumps(message["params"]))

    def run(self, script: str) -> Any:
        """Evaluate an expression in the page."""
        return self.tell("Runtime.evaluate", expression=script)["result"].get("value")

    def text(self) -> str:
        """Give the text of the page as it is seen."""
        return " ".join((self.run("document.body ? document.body.innerText : ''") or "").split())

    def wait_for(self, words: str) -> None:
        """Wait until the page says something, or fail with what it says instead."""
        deadline = time.monotonic() + PATIENCE_SECONDS
        while words not in self.text():
            assert time.monotonic() < deadline, f"{words!r} is not in {self.text()!r}"
            time.sleep(0.05)

    def press(self, decision: str) -> None:
        """Press a button of the first request, as a finger does."""
        where = f"document.querySelector('button[value={decision}]').getBoundingClientRect()"
        self.run("document.querySelector('.request').scrollIntoView()")
        x, y = (self.run(f"{where}.{side}") + 5 for side in ("x", "y"))
        for kind in ("mousePressed", "mouseReleased"):
            self.tell("Input.dispatchMouseEvent", type=kind, x=x, y=y, button="left", clickCount=1)


@pytest.fixture(scope="module")
def devtools() -> Iterator[str]:
    """Start a browser with an empty home and give the address of its DevTools."""
    with tempfile.TemporaryDirectory(ignore_cleanup_errors=True) as home:
        arguments = [CHROMIUM, *FLAGS, f"--user-data-dir={home}", "about:blank"]
        with subprocess.Popen(
            arguments, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
        ) as process:
            try:
                yield f"http://127.0.0.1:{_port(Path(home))}"
            finally:
                process.terminate()


def _port(home: Path) -> int:
    deadline = time.monotonic() + PATIENCE_SECONDS
    written = home / "DevToolsActivePort"
    while not (written.exists() and written.read_text().strip()):
        assert time.monotonic() < deadline, "the browser did not start"
        time.sleep(0.05)
    return int(written.read_text().split()[0])


@pytest.fixture
def tab(devtools: str) -> Iterator[Tab]:
    """Open a new tab."""
    request = urllib.request.Request(f"{devtools}/json/new?about:blank", method="PUT")
    with urllib.request.urlopen(request, timeout=PATIENCE_SECONDS) as answer:
        target = json.load(answer)
    with connect(target["webSocketDebuggerUrl"], max_size=None, proxy=None) as connection:
        yield Tab(connection)


@pytest.fixture
def server() -> Iterator[Server]:
    """Serve an emulator whose payers decide on the phone."""
    settings = EmulatorSettings(approval="phone", restricted_characters=False)
    with running(Emulator(settings), pages=True) as served:
        yield served


@pytest.mark.parametrize(
    ("decision", "said", "status"),
    [
        ("approve", "Approved", "SUCCESSFUL"),
        ("decline", "Declined", "FAILED"),
        ("ignore", "Ignored.", "PENDING"),
    ],
)
@pytest.mark.parametrize("scripts", [True, False])
def test_a_payer_decides(
    server: Server, tab: Tab, decision: str, said: str, status: str, *, scripts: bool
) -> None:
    """The buttons work under our content policy, with scripts and without."""
    tab.tell("Emulation.setScriptExecutionDisabled", value=not scripts)
    reference, _ = Caller(server.emulator).pay(payerMessage="two crates")
    tab.tell("Page.navigate", url=f"{server.base_url}/phone/{ORDINARY}")
    tab.wait_for("two crates")

    tab.press(decision)
    tab.wait_for(said)

    assert server.emulator.payment(reference).status == status
    assert tab.complaints == []


def test_a_request_appears_by_itself_and_typing_is_left_alone(server: Server, tab: Tab) -> None:
    """The script brings new requests in and keeps the PIN that is being typed in another."""
    caller = Caller(server.emulator)
    caller.pay(payerMessage="the first one")
    tab.tell("Page.navigate", url=f"{server.base_url}/phone/{ORDINARY}")
    tab.wait_for("the first one")
    tab.run("document.querySelector('input[name=pin]').focus()")
    tab.tell("Input.insertText", text="12")

    caller.pay(payerMessage="the second one")
    tab.wait_for("the second one")
    tab.wait_for("2 requests are waiting")
    tab.tell("Input.insertText", text="34")

    assert tab.run("document.activeElement.value") == "1234"
    assert tab.complaints == []


def test_a_request_that_is_over_leaves_by_itself(server: Server, tab: Tab) -> None:
    """What another page decided, or time ended, is taken from the screen."""
    reference, _ = Caller(server.emulator).pay(payerMessage="for a book")
    tab.tell("Page.navigate", url=f"{server.base_url}/phone/{ORDINARY}")
    tab.wait_for("for a book")

    server.emulator.clock.advance(seconds=301)
    tab.wait_for("Time ran out")

    assert "for a book" not in tab.text()
    assert server.emulator.payment(reference).reason == "EXPIRED"


def test_the_front_page_follows_what_happens(server: Server, tab: Tab) -> None:
    """A payment appears and changes without a reload."""
    tab.tell("Page.navigate", url=f"{server.base_url}/")
    tab.wait_for("No payment yet.")
    tab.run("window.here = true")

    reference, _ = Caller(server.emulator).pay(amount="12345")
    tab.wait_for("EUR 12,345")
    server.emulator.decide(reference, "approve")
    tab.wait_for("SUCCESSFUL")

    assert tab.run("window.here") is True
    assert tab.complaints == []


@pytest.mark.parametrize("width", [320, 390, 1280])
def test_no_page_is_wider_than_the_screen(server: Server, tab: Tab, width: int) -> None:
    """Long words wrap; nothing has to be scrolled sideways."""
    reference, _ = Caller(server.emulator).pay(payerMessage="a" * 160, payeeNote="W" * 160)
    tab.tell(
        "Emulation.setDeviceMetricsOverride",
        width=width,
        height=800,
        deviceScaleFactor=1,
        mobile=width < 1000,
    )
    widths = {}
    for path in ("/", "/phone", f"/phone/{ORDINARY}", f"/payments/{reference}", "/nothing"):
        tab.tell("Page.navigate", url=f"{server.base_url}{path}?lang=fr")
        tab.wait_for("rien ici n’est de l’argent réel")
        widths[path] = tab.run("document.documentElement.scrollWidth")

    assert {path: each for path, each in widths.items() if each > width} == {}
