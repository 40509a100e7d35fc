"""The bell that wakes workers: rung in this process, or by PostgreSQL from another one."""

from __future__ import annotations

import asyncio
from contextlib import suppress
from threading import Event, Lock, Thread

import sqlalchemy.exc
from sqlalchemy import text

from momokit.gateway.store.database import CHANNEL, Database

RECONNECT_SECONDS = 1.0
LISTEN_SECONDS = 0.2


class Bell:
    """Rung from any thread; waited for in any event loop. Counts, so that no ring is missed."""

    def __init__(self) -> None:
        self._lock = Lock()
        self._rings = 0
        self._waiting: set[tuple[asyncio.AbstractEventLoop, asyncio.Event]] = set()

    @property
    def rings(self) -> int:
        """Count the rings so far: look before you search for work, and pass it to `wait`."""
        return self._rings

    def ring(self) -> None:
        """Wake everyone who waits."""
        with self._lock:
            self._rings += 1
            waiting, self._waiting = self._waiting, set()
        for loop, event in waiting:
            with suppress(RuntimeError):  # A loop that is closed needs no waking.
                loop.call_soon_threadsafe(event.set)

    async def wait(self, *, timeout_seconds: float, seen: int | None) -> bool:
        """Wait for a ring after the `seen`-th one; tell whether there was one."""
        entry = (asyncio.get_running_loop(), asyncio.Event())
        with self._lock:
            if seen is not None and seen != self._rings:
                return True
            self._waiting.add(entry)
        try:
            # Not wait_for(): on Python 3.11 it can swallow a cancellation.
            async with asyncio.timeout(timeout_seconds):
                await entry[1].wait()
        except TimeoutError:
            return False
        finally:
            with self._lock:
                self._waiting.discard(entry)
        return True


class Listener:
    """A connection that hears what other processes have left for us (PostgreSQL only)."""

    def __init__(self, database: Database, *, bell: Bell) -> None:
        self._database = database
        self._bell = bell
        self._stopped = Event()
        self._thread = Thread(target=self._loop, name="momokit-listener", daemon=True)
        self._thread.start()

    def close(self) -> None:
        """Stop listening."""
        self._stopped.set()
        self._thread.join()

    def _loop(self) -> None:
        while not self._stopped.is_set():
            try:
                self._listen()
            except (sqlalchemy.exc.SQLAlchemyError, OSError):
                # While the line is down work is found by looking: waits have an end.
                self._stopped.wait(RECONNECT_SECONDS)

    def _listen(self) -> None:
        import psycopg

        with self._database.reader.connect() as connection:
            connection = connection.execution_options(isolation_level="AUTOCOMMIT")
            connection.execute(text(f"LISTEN {CHANNEL}"))
            driver = connection.connection.driver_connection
            assert isinstance(driver, psycopg.Connection)
            self._bell.ring()  # What was said before we listened was not heard.
            try:
                while not self._stopped.is_set():
                    for _ in driver.notifies(timeout=LISTEN_SECONDS):
                        self._bell.ring()
            except psycopg.Error as error:
                connection.invalidate()
                raise OSError("The line to the database is down.") from error
            connection.execute(text(f"UNLISTEN {CHANNEL}"))
