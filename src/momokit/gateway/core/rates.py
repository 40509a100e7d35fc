"""How often somebody may ask: a bucket of tokens that fills at a steady pace. Pure."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, kw_only=True, slots=True)
class Rate:
    """So many a second in the long run, and so many at once."""

    per_second: float
    burst: float


@dataclass(frozen=True, kw_only=True, slots=True)
class Bucket:
    """How many tokens there were at a moment."""

    tokens: float
    at: float


def take(bucket: Bucket | None, rate: Rate, *, now: float) -> tuple[Bucket, float]:
    """Take a token, or say for how many seconds to wait for one; 0 is that it was had."""
    if bucket is None:
        bucket = Bucket(tokens=rate.burst, at=now)
    passed = max(0.0, now - bucket.at)
    tokens = min(rate.burst, bucket.tokens + passed * rate.per_second)
    if tokens >= 1:
        return Bucket(tokens=tokens - 1, at=now), 0.0
    return Bucket(tokens=tokens, at=now), (1 - tokens) / rate.per_second
