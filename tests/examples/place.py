"""An emulator and a gateway as processes, and the example shops that are started beside them."""

from __future__ import annotations

import importlib.util
import json
import os
import secrets
import shutil
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

import httpx2
import pytest

ROOT = Path(__file__).resolve().parents[2]
EXAMPLES = ROOT / "examples"
PATIENCE_SECONDS = 60.0
INSTALL_SECONDS = 120.0
MOMO = (sys.executable, "-m", "momokit.cli.main")


@dataclass(frozen=True, kw_only=True)
class Place:
    """Where the emulator and the gateway run, and how an operator speaks to the gateway."""

    folder: Path
    gateway_url: str
    environment: Mapping[str, str] = field(repr=False)

    def operate(self, *words: str) -> dict[str, str]:
        """Run a command of `momo gateway` and give what it told."""
        return operate(self.environment, *words)


@dataclass(frozen=True, kw_only=True)
class Shop:
    """An example that runs: where it is, the secret of its webhooks, and all that it printed."""

    url: str
    webhook_secret: str = field(repr=False)
    printed: Path
    process: subprocess.Popen[bytes] = field(repr=False)

    def has_printed(self, text: str) -> bool:
        """Wait until it has printed a text, or has ended."""

        def look() -> bool:
            return text in self.printed.read_text(errors="replace")

        return eventually(look, unless=lambda: self.process.poll() is not None)


def eventually(look: Callable[[], bool], *, unless: Callable[[], bool] = lambda: False) -> bool:
    """Look again and again, and tell whether it came true before patience ended."""
    until = time.monotonic() + PATIENCE_SECONDS
    while time.monotonic() < until and not unless():
        if look():
            return True
        time.sleep(0.05)
    return look()


def operate(environment: Mapping[str, str], *words: str) -> dict[str, str]:
    """Run a command of `momo gateway` and give what it told."""
    ran = subprocess.run(
        [*MOMO, "gateway", *words, "--json"], env=environment, capture_output=True, text=True,
        check=False, timeout=PATIENCE_SECONDS,
    )  # fmt: skip
    assert ran.returncode == 0, ran.stderr
    told: dict[str, str] = json.loads(ran.stdout)
    return told


def clean_environment() -> dict[str, str]:
    """Give this machine's environment without settings of ours, and without a proxy."""
    kept = {n: v for n, v in os.environ.items() if not n.startswith("MOMO_")}
    return {**kept, "NO_PROXY": "127.0.0.1", "no_proxy": "127.0.0.1"}


@contextmanager
def running(
    words: list[str], *, environment: Mapping[str, str], printed: Path, folder: Path
) -> Iterator[subprocess.Popen[bytes]]:
    """Run a process while a `with` block lasts; what it prints goes to a file."""
    with printed.open("wb") as file:
        process = subprocess.Popen(
            words, env=environment, cwd=folder, stdin=subprocess.DEVNULL, stdout=file,
            stderr=subprocess.STDOUT,
        )  # fmt: skip
        try:
            yield process
        finally:
            process.terminate()
            try:
                process.wait(timeout=20)
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait()


@contextmanager
def gateway_and_emulator(folder: Path) -> Iterator[Place]:
    """Start both as an operator would, with one account and nothing else."""
    environment = clean_environment()
    settings, told = folder / "emulator.env", folder / "emulator.out"
    words = [*MOMO, "emulator", "--port", "0", "--write", str(settings), "--json"]
    with running(words, environment=environment, printed=told, folder=folder) as emulator:
        assert eventually(
            lambda: "base_url" in told.read_text(), unless=lambda: emulator.poll() is not None
        ), told.read_text()
        environment |= {
            "MOMO_DATABASE_URL": f"sqlite:///{folder / 'gateway.db'}",
            "MOMO_GATEWAY_SECRET_KEY": secrets.token_hex(32),
            "MOMO_GATEWAY_PORT": "0",
            "MOMO_GATEWAY_METRICS_PORT": "0",
            "MOMO_GATEWAY_WEBHOOK_ALLOW_LOCAL": "1",
        }
        operate(environment, "migrate")
        operate(environment, "accounts", "add", "test", "--from", str(settings))
        out = folder / "gateway.out"
        words = [*MOMO, "gateway", "serve", "--json"]
        with running(words, environment=environment, printed=out, folder=folder) as gateway:
            ready = eventually(lambda: bool(urls(out)), unless=lambda: gateway.poll() is not None)
            assert ready, out.read_text()
            yield Place(folder=folder, gateway_url=urls(out)[0], environment=environment)


def urls(out: Path) -> list[str]:
    """Find the addresses that a process told in its lines of JSON."""
    lines = [line for line in out.read_text().splitlines() if line.startswith('{"role"')]
    return [json.loads(line)["base_url"] for line in lines]


@contextmanager
def shop(name: str, place: Place, folder: Path) -> Iterator[Shop]:
    """Start an example with a key and a webhook of its own. Skips when its runtime is missing."""
    words, where = STARTS[name](folder)
    port = free_port()
    url = f"http://127.0.0.1:{port}"
    secret = place.operate("endpoints", "add", f"{url}/webhooks")["secret"]
    environment = clean_environment() | {
        "GATEWAY_URL": place.gateway_url,
        "GATEWAY_KEY": place.operate("keys", "create", name, "--scope", "shop")["key"],
        "WEBHOOK_SECRET": secret,
        "ORDERS_DIR": str(folder / "orders"),
        "PORT": str(port),
    }
    words = [word.replace("PORT", str(port)) for word in words]
    printed = folder / "shop.out"
    with running(words, environment=environment, printed=printed, folder=where) as process:
        listens = eventually(lambda: answers(url), unless=lambda: process.poll() is not None)
        assert listens, printed.read_text()
        yield Shop(url=url, webhook_secret=secret, printed=printed, process=process)


def free_port() -> int:
    """Find a port that nobody listens on."""
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        port: int = taken.getsockname()[1]
    return port


def answers(url: str) -> bool:
    """Tell whether somebody answers there."""
    try:
        return httpx2.get(url, trust_env=False).status_code == 200
    except httpx2.TransportError:
        return False


def _program(name: str) -> str:
    found = shutil.which(name)
    if found is None:
        pytest.skip(f"{name} is not on this machine")
    return found


def _python(folder: str, *needed: str) -> tuple[list[str], Path]:
    missing = [name for name in needed if importlib.util.find_spec(name) is None]
    if missing:
        pytest.skip(f"not installed: {', '.join(missing)}")
    return [sys.executable, "app.py"], EXAMPLES / folder


def _node(folder: Path) -> tuple[list[str], Path]:
    node, npm = _program("node"), _program("npm")
    for name in ("package.json", "server.js"):
        shutil.copy(EXAMPLES / "node-express" / name, folder)
    words = [npm, "install", "--no-audit", "--no-fund", "--ignore-scripts", "--silent"]
    try:
        ran = subprocess.run(
            words, cwd=folder, capture_output=True, text=True, check=False, timeout=INSTALL_SECONDS
        )
    except subprocess.TimeoutExpired:
        pytest.skip("npm could not install express in time")
    if ran.returncode != 0:
        pytest.skip("npm could not install express here")
    return [node, "server.js"], folder


def _php(_folder: Path) -> tuple[list[str], Path]:
    return [_program("php"), "-S", "127.0.0.1:PORT", "index.php"], EXAMPLES / "php"


STARTS: Mapping[str, Callable[[Path], tuple[list[str], Path]]] = {
    "node-express": _node,
    "php": _php,
    "python-fastapi": lambda _: _python("python-fastapi", "fastapi", "uvicorn"),
    "python-flask": lambda _: _python("python-flask", "flask"),
    "python-django": lambda _: _python("python-django", "django"),
}
