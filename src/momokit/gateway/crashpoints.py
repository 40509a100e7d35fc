"""Named places where a test kills this process, to prove that nothing is lost there.

In production this does nothing. With MOMO_CRASH_AT=name the process kills itself, as the kernel
would, when it passes the place of that name; with MOMO_CRASH_LOG=file it writes the names it
passes.
"""

from __future__ import annotations

import os
import signal

POINTS: tuple[str, ...] = (
    "accept.before_commit",
    "accept.after_commit",
    "submit.after_claim",
    "submit.before_send",
    "submit.after_send",
    "submit.after_record",
    "settle.after_claim",
    "settle.before_ask",
    "settle.after_ask",
    "settle.after_record",
    "cancel.before_send",
    "cancel.after_send",
    "callback.before_store",
    "callback.after_store",
    "notify.after_claim",
    "notify.before_send",
    "notify.after_send",
    "notify.after_record",
    "batch.upload.before_commit",
    "batch.upload.after_commit",
    "batch.upload.after_rows",
    "batch.upload.before_loaded",
    "batch.check.after_ask",
    "batch.check.after_commit",
    "batch.approve.before_commit",
    "batch.approve.after_commit",
    "batch.prepare.before_commit",
    "batch.prepare.after_commit",
    "batch.release.before_commit",
    "batch.release.after_commit",
    "batch.pause.before_commit",
    "batch.pause.after_commit",
    "batch.resume.before_commit",
    "batch.resume.after_commit",
    "batch.cancel.before_commit",
    "batch.cancel.after_commit",
    "batch.retry.after_commit",
)
"""Every place: before and after each commit and each call over the network."""

_armed = {
    "at": os.environ.get("MOMO_CRASH_AT", ""),
    "log": os.environ.get("MOMO_CRASH_LOG", ""),
}
_passes_left = {"": 0, _armed["at"]: 1}


def arm(*, at: str, nth: int = 1) -> None:
    """Choose the place where this process is to die, the `nth` time that it passes; an empty name
    disarms it."""
    _armed["at"] = at
    _passes_left[at] = nth


def pass_by(name: str) -> None:
    """Pass a named place; die there when a test asked for it."""
    if _armed["log"]:
        with open(_armed["log"], "a", encoding="utf-8") as file:
            file.write(name + "\n")
    if name != _armed["at"]:
        return
    _passes_left[name] -= 1
    if _passes_left[name] <= 0:
        os.kill(os.getpid(), signal.SIGKILL)
