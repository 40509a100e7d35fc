"""Lets a request meet its faults: lost before it counts, answered wrongly, or spoilt on its way."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from . import dialects
from .call import Call
from .exchange import JSON, Reply

Process = Callable[[Call], Reply]


def meet(call: Call, *, process: Process) -> Reply:
    """Answer a call through whatever faults it meets; `process` is how it goes without."""
    lost = call.fault("drop_request")
    if lost is not None:
        return Reply(0, cut=lost["how"])
    reset = call.fault("reset")
    if reset is not None and reset["stage"] == "before":
        return Reply(0, cut="reset")
    reply = _refused_at_the_gate(call) or _replaced(call, process=process)
    return _spoilt(call, reply, reset=reset)


def _refused_at_the_gate(call: Call) -> Reply | None:
    if call.fault("maintenance_window") is not None:
        return dialects.html(503, "Service Unavailable")
    if call.fault("429") is not None:
        busy = dialects.gateway(429, "Rate limit is exceeded. Try again in 1 seconds.")
        return busy._replace(headers=(*busy.headers, ("retry-after", "1")))
    if call.fault("403_ip") is not None:
        return dialects.gateway(403, "Forbidden")
    failing = call.fault("token_5xx")
    if failing is not None:
        return dialects.wallet("SERVICE_UNAVAILABLE", status=failing["code"])
    return None


def _replaced(call: Call, *, process: Process) -> Reply:
    page = call.fault("html_error")
    if page is not None:
        if page["processed"]:
            process(call)
        return dialects.html(page["code"], "Bad Gateway")
    said = call.fault("status")
    if said is not None:
        if said["processed"]:
            process(call)
        if not said["body_code"]:
            return Reply(said["code"])
        return dialects.wallet(said["body_code"], status=said["code"])
    return process(call)


def _spoilt(call: Call, reply: Reply, *, reset: dict[str, Any] | None) -> Reply:
    lost = call.fault("drop_response")
    if lost is not None:
        return reply._replace(cut=lost["how"])
    if reset is not None:
        reply = _reset(reply, stage=reset["stage"])
    late = call.fault("delay")
    if late is not None:
        seconds = late["seconds"] + late["spread"] * call.state.chance.random()
        reply = reply._replace(delay_seconds=seconds)
    if call.fault("bad_json") is not None:
        half = reply.body[: max(1, len(reply.body) // 2)] or b'{"status": '
        reply = reply._replace(body=half, headers=reply.headers or JSON)
    cut = call.fault("truncate")
    if cut is not None:
        reply = reply._replace(truncate_after_bytes=cut["n"])
    slow = call.fault("slowloris")
    if slow is not None:
        reply = reply._replace(drip=(max(1, slow["n"]), slow["seconds"]))
    off = call.fault("clock_offset")
    if off is not None:
        reply = reply._replace(clock_offset_seconds=off["seconds"])
    return reply


def _reset(reply: Reply, *, stage: str) -> Reply:
    if stage == "after":
        return reply._replace(cut="reset")
    after = 0 if stage == "headers" else len(reply.body) // 2
    return reply._replace(truncate_after_bytes=after, then_reset=True)
