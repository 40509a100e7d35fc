"""Times as statements write them: read by an explicit form, a million of them in a few seconds."""

from __future__ import annotations

import re
from datetime import datetime, timezone, tzinfo

from momokit.errors import InvalidInput

_MONTHS = {
    name: number
    for number, names in enumerate(
        (
            "jan janvier january", "feb fev fevr fevrier february", "mar mars march",
            "apr avr avril april", "may mai", "jun juin june", "jul juil juillet july",
            "aug aout august", "sep sept septembre september", "oct octobre october",
            "nov novembre november", "dec decembre december",
        ),
        start=1,
    )
    for name in names.split()
}  # fmt: skip

_PARTS = {
    "%d": r"(?P<d>\d{1,2})",
    "%m": r"(?P<m>\d{1,2})",
    "%Y": r"(?P<Y>\d{4})",
    "%y": r"(?P<y>\d{2})",
    "%H": r"(?P<H>\d{1,2})",
    "%I": r"(?P<I>\d{1,2})",
    "%M": r"(?P<M>\d{2})",
    "%S": r"(?P<S>\d{2})",
    "%f": r"(?P<f>\d{1,6})",
    "%p": r"(?P<p>[AaPp]\.?[Mm]\.?)",
    "%b": r"(?P<b>[^\W\d_]+)\.?",
}
DAY_SECONDS, MINUTE_SECONDS = 86_400.0, 60.0
_CLOCK = re.compile("([0-2][0-9]):([0-5][0-9]):([0-5][0-9])")
_DAYS_KEPT = 4096


class TimeFormat:
    """One way of writing times, in the letters of `strftime`: %d %m %Y %y %H %I %M %S %f %p %b."""

    def __init__(self, form: str) -> None:
        unknown = set(re.findall(r"%.", form)) - _PARTS.keys()
        has_day = "%d" in form and ("%m" in form or "%b" in form) and ("%Y" in form or "%y" in form)
        if unknown or not has_day or "%" in re.sub(r"%.", "", form):
            raise InvalidInput(
                "This is no form of a time.",
                field="time_formats",
                hint=f"It takes a day, a month and a year of: {' '.join(_PARTS)}.",
            )
        pieces = re.split(r"(%.)", form)
        try:
            # A letter that comes twice would be two groups of one name.
            self._pattern = re.compile(
                "".join(_PARTS.get(piece) or _literal(piece) for piece in pieces)
            )
        except re.error:
            raise InvalidInput("A time has each part once.", field="time_formats") from None
        # How long the moment lasts that is written so: a line without a time is a whole day.
        self.span_seconds = 1.0 if "%S" in form else MINUTE_SECONDS if "%M" in form else DAY_SECONDS

        # With a day in front and the seconds behind, days are read once and kept.
        self._splits = re.fullmatch(r"(%[^HIMSfp]\W?)+[ T]%H:%M:%S", form) is not None
        self._days: dict[str, float | None] = {}

    def read(self, text: str, zone: tzinfo) -> float | None:
        """Read a time as seconds since 1970; None for what is written otherwise or is no time."""
        if self._splits and isinstance(zone, timezone):
            clock = _CLOCK.fullmatch(text, max(len(text) - 8, 0))
            hours, minutes, seconds = clock.groups() if clock is not None else ("99", "", "")
            if hours > "23":
                return self._read(text, zone)
            day = text[:-8]
            begins = self._days.get(day, 0.0)
            if begins == 0.0:
                begins = self._read(f"{day}00:00:00", zone)
                if len(self._days) < _DAYS_KEPT:
                    self._days[day] = begins
            if begins is None:
                return None
            return begins + int(hours) * 3600 + int(minutes) * 60 + int(seconds)
        return self._read(text, zone)

    def _read(self, text: str, zone: tzinfo) -> float | None:
        found = self._pattern.fullmatch(text)
        if found is None:
            return None
        part = found.groupdict()
        try:
            month = _month(part["b"]) if part.get("b") else int(part["m"])
            year = int(part["Y"]) if part.get("Y") else 2000 + int(part["y"])
            hour = int(part.get("H") or part.get("I") or 0)
            if part.get("p"):
                if not 1 <= hour <= 12:
                    return None
                hour = hour % 12 + (12 if part["p"][0] in "pP" else 0)
            wall = datetime(  # noqa: DTZ001 - the zone is the profile's
                year, month, int(part["d"]), hour, int(part.get("M") or 0),
                int(part.get("S") or 0), int((part.get("f") or "0").ljust(6, "0")),
            )  # fmt: skip
            return moment(wall, zone)
        except (ValueError, KeyError, OverflowError):
            return None


def moment(wall: datetime, zone: tzinfo) -> float:
    """Give a time of the wall as seconds since 1970."""
    return wall.replace(tzinfo=zone).timestamp()


def _literal(piece: str) -> str:
    return r"\s+".join(re.escape(word) for word in re.split(r"\s+", piece))


def _month(name: str) -> int:
    plain = name.casefold().replace("é", "e").replace("û", "u")
    return _MONTHS[plain]
