"""The night's work of reconciliation: the audit of the day before, once for all processes."""

from __future__ import annotations

import asyncio
import logging
from contextlib import suppress

from momokit.gateway.steps.reconcile import reconcile_account
from momokit.gateway.steps.reconcile_audit import audit_day, day_before
from momokit.gateway.store.accounts import list_accounts
from momokit.gateway.store.store import Store

CHECK_SECONDS = 600.0
log = logging.getLogger("momokit.gateway")


async def work_nightly(store: Store, stopping: asyncio.Event) -> None:
    """Look every ten minutes whether the day before is to be audited, until told to stop.

    The first look comes after ten minutes: a process that starts has more urgent things to do.
    """
    while True:
        with suppress(TimeoutError):
            await asyncio.wait_for(stopping.wait(), CHECK_SECONDS)
        if stopping.is_set():
            return
        try:
            await audit_yesterday(store)
        except Exception:
            # The database may be away for a moment; the day is still there at the next look.
            log.exception("the audit of the day before failed")


async def audit_yesterday(store: Store) -> bool:
    """Audit the day before unless that was done, and let go of discrepancies that are no more."""
    day = day_before(await store.now())
    audited = await audit_day(day, store=store) if day is not None else None
    if audited is None:
        return False
    log.info(
        "audit of %s: %d payments that ended and %d that are open are asked about again",
        audited.day, audited.ended, audited.open,
    )  # fmt: skip
    for account in await store.read(list_accounts):
        await reconcile_account(account.id, store=store)
    return True
