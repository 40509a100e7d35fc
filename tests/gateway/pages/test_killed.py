"""The gateway is killed while a payer's form is taken in: the page of after tells the truth."""

from __future__ import annotations

import secrets
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from pathlib import Path

import httpx2
import pytest

from momokit.emulator import Emulator, running
from tests.examples.place import MOMO, clean_environment, eventually, operate, urls
from tests.examples.place import running as process
from tests.gateway.pages.payer import Reader

PAYER = "46733123901"
ACCOUNT = """\
MOMO_MARKET=sandbox
MOMO_BASE_URL={url}
MOMO_COLLECTION_SUBSCRIPTION_KEY={made.subscription_key}
MOMO_API_USER={made.api_user}
MOMO_API_KEY={made.api_key}
"""


@contextmanager
def serving(folder: Path, environment: Mapping[str, str]) -> Iterator[str]:
    """Run `momo gateway serve`, and give its address."""
    folder.mkdir()
    out = folder / "gateway.out"
    words = [*MOMO, "gateway", "serve", "--json"]
    with process(words, environment=environment, printed=out, folder=folder) as gateway:
        ready = eventually(lambda: bool(urls(out)), unless=lambda: gateway.poll() is not None)
        assert ready, out.read_text()
        yield urls(out)[0]


def client(url: str, key: str) -> httpx2.Client:
    """Give somebody who asks, with a key for the API."""
    headers = {"Authorization": f"Bearer {key}"}
    return httpx2.Client(base_url=url, headers=headers, trust_env=False, timeout=30)


@pytest.mark.parametrize(
    ("crash_at", "after"),
    [("accept.before_commit", "open"), ("accept.after_commit", "waiting")],
)
def test_a_payer_whose_gateway_died_pays_once(tmp_path: Path, crash_at: str, after: str) -> None:
    """Before the commit nothing has begun, and the same form begins it; after it, it goes on."""
    emulator = Emulator()
    with running(emulator) as mtn:
        settings = tmp_path / "account.env"
        made = emulator.provision()
        settings.write_text(ACCOUNT.format(url=mtn.base_url, made=made))
        environment = clean_environment() | {
            "MOMO_DATABASE_URL": f"sqlite:///{tmp_path / 'gateway.db'}",
            "MOMO_GATEWAY_SECRET_KEY": secrets.token_hex(32),
            "MOMO_GATEWAY_PORT": "0",
            "MOMO_GATEWAY_METRICS_PORT": "0",
        }
        operate(environment, "migrate")
        operate(environment, "accounts", "add", "test", "--from", str(settings))
        key = operate(environment, "keys", "create", "shop", "--scope", "admin")["key"]
        form = {"attempt": "0", "phone": PAYER}
        dies = environment | {"MOMO_CRASH_AT": crash_at}
        with serving(tmp_path / "first", dies) as url, client(url, key) as http:
            headers = {"Idempotency-Key": "one"}
            page = http.post("/v1/checkouts", json={"amount": "5"}, headers=headers).json()["url"]
            path = page.removeprefix(url)
            with suppress(httpx2.HTTPError):
                http.post(path, data=form)
        with serving(tmp_path / "second", environment) as url, client(url, key) as http:
            found = Reader(http.get(path).text).phase
            http.post(path, data=form)
            paid = eventually(lambda: Reader(http.get(path).text).phase == "paid")
            payments = http.get("/v1/payments").json()["items"]
        moved = [emulator.money_moved(one["reference_id"]).times for one in payments]

    assert found in (after, "paid" if after == "waiting" else after)
    assert paid
    assert moved == [1]
