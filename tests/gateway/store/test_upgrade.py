"""From the first schema to this one, with payments in it that stood in clear."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest
from sqlalchemy import create_engine, text

from momokit.errors import ConfigurationError
from momokit.gateway.core.payment import State, Work
from momokit.gateway.seal import Sealer
from momokit.gateway.store.data_keys import open_veil
from momokit.gateway.store.database import Database
from momokit.gateway.store.idempotency import find_key
from momokit.gateway.store.migrate import migrate
from momokit.gateway.store.payments import Filter
from momokit.gateway.store.records import IdempotencyClaim, Outcome
from momokit.gateway.store.store import Store

pytestmark = pytest.mark.anyio

KEY = Sealer(bytes(range(32)))
NUMBER, TOKEN = "256772987654", "callback-token-of-a-payment"

ROWS = (
    "INSERT INTO accounts (id, name, market, base_url, settings, credentials_sealed, created_at)"
    " VALUES ('acc_1', 'shop', 'uganda', '', '{}', '', 1)",
    "INSERT INTO webhook_endpoints (id, url, secrets_sealed, event_filter, created_at)"
    " VALUES ('whe_1', 'https://shop.example', '', '[]', 1)",
    "INSERT INTO payments (id, account_id, kind, product, operation, state, amount, currency,"
    " party_type, party_id, external_id, reference_id, path, headers, body, body_hash, status_path,"
    " metadata, work, due_at, lease_token, sending, doubtful, hinted, attempts, polls,"
    " ask_failures, absences, review, sequence, created_at, updated_at)"
    " VALUES ('pay_a', 'acc_1', 'request_to_pay', 'collection', 'requesttopay', 'pending', '5000',"
    f" 'UGX', 'MSISDN', '{NUMBER}', 'pay_a', 'ref_a', '/collection/v1_0/requesttopay',"
    f" '{{\"X-Callback-Url\": \"https://us.example/cb/{TOKEN}\"}}', :body, 'digest',"
    f" '/collection/v1_0/requesttopay/ref_a', '{{\"phone\": \"{NUMBER}\"}}', 'settle', 5, 1, false,"
    " false, false, 1, 0, 0, 0, false, 1, 1, 1)",
    "INSERT INTO callbacks (payment_id, at, method, body, body_hash, seen)"
    " VALUES ('pay_a', 2, 'PUT', :body, 'digest', 1)",
    "INSERT INTO deliveries (endpoint_id, payment_id, sequence, event, body, lease_token,"
    " attempts, created_at) VALUES ('whe_1', 'pay_a', 1, 'payment.pending', :body, 0, 0, 2)",
    'INSERT INTO idempotency_keys (scope, "key", request_hash, payment_id, response, created_at)'
    f" VALUES ('api *', 'order {NUMBER}', 'digest', 'pay_a', '{{\"to\": \"{NUMBER}\"}}', 1)",
)
BODY = f'{{"payer": "{NUMBER}"}}'.encode()


def _early(url: str) -> None:
    """Make a database of the first schema with one payment in it."""
    migrate(url, to="0001")
    database = Database(url, writers=1)
    with database.writer.begin() as connection:
        for statement in ROWS:
            values = {"body": BODY} if ":body" in statement else {}
            connection.execute(text(statement), values)
    database.close()


@pytest.fixture(params=["sqlite", "postgresql"])
def early_url(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    """Give the address of such a database."""
    url = f"sqlite:///{tmp_path / 'early.db'}"
    if request.param == "postgresql":
        postgres: Callable[[str], str] = request.getfixturevalue("postgres")
        engine = create_engine(postgres("postgres"), isolation_level="AUTOCOMMIT")
        with engine.connect() as connection:
            connection.execute(text("DROP DATABASE IF EXISTS early"))
            connection.execute(text("CREATE DATABASE early"))
        engine.dispose()
        url = postgres("early")
    _early(url)
    return url


def _opened(url: str) -> Store:
    database = Database(url, writers=1)
    with database.writer.begin() as connection:
        veil = open_veil(connection, KEY, now=1.0)
    database.close()
    return Store(url, veil=veil)


async def test_what_stood_in_clear_is_sealed_and_nothing_is_lost(early_url: str) -> None:
    """The payment goes on with the same bytes; it is found by its number, and by its key."""
    migrate(early_url, wrap=KEY)
    store = _opened(early_url)
    try:
        page = await store.list_payments(Filter(party_id=NUMBER))
        story = await store.timeline("pay_a")
        claim = IdempotencyClaim(scope="api *", key=f"order {NUMBER}", request_hash="digest")
        known = await store.read(lambda t: find_key(t, claim))
        claimed = await store.claim(Work.SETTLE, limit=1, lease_seconds=60)
    finally:
        store.close()

    assert story is not None
    one = page.items[0]
    assert (one.id, one.state, one.payment.party_id) == ("pay_a", State.PENDING, NUMBER)
    assert one.request.headers == {"X-Callback-Url": f"https://us.example/cb/{TOKEN}"}
    assert one.metadata == {"phone": NUMBER}
    assert claimed[0].request.body == BODY
    assert [heard.body for heard in story.callbacks] == [BODY]
    assert [sent.body for sent in story.deliveries] == [BODY]
    assert (known.outcome, known.payment_id) == (Outcome.REPLAYED, "pay_a")
    assert known.response == f'{{"to": "{NUMBER}"}}'


def test_nothing_of_it_is_left_in_the_file(tmp_path: Path) -> None:
    """Neither in a row nor in a page that is free now: a copy of the file shows no number."""
    place = tmp_path / "early.db"
    _early(f"sqlite:///{place}")
    before = place.read_bytes()
    migrate(f"sqlite:///{place}", wrap=KEY)
    engine = create_engine(f"sqlite:///{place}")
    with engine.connect() as connection:
        connection.exec_driver_sql("PRAGMA wal_checkpoint(TRUNCATE)").close()
    engine.dispose()
    after = b"".join(path.read_bytes() for path in tmp_path.iterdir())

    assert NUMBER.encode() in before
    assert [word in after for word in (NUMBER.encode(), TOKEN.encode())] == [False, False]


def test_without_the_secret_key_it_refuses_and_changes_nothing(early_url: str) -> None:
    """Payments in clear are neither left so nor lost."""
    with pytest.raises(ConfigurationError) as caught:
        migrate(early_url)
    database = Database(early_url)
    with database.reader.connect() as connection:
        kept = connection.execute(text("SELECT party_id FROM payments")).scalars().all()
    database.close()

    assert caught.value.field == "secret_key"
    assert kept == [NUMBER]
