"""Text that must not be seen: keys and tokens, hidden in `repr`, logs and tracebacks."""

from __future__ import annotations

from typing import Any


class Secret:
    """Holds a key or token so that only `reveal()` shows it; printing, formatting and logging do
    not."""

    __slots__ = ("_text",)

    def __init__(self, text: str | Secret) -> None:
        self._text = text.reveal() if isinstance(text, Secret) else text

    def reveal(self) -> str:
        """Give the text itself, for the one place that sends it."""
        return self._text

    def __repr__(self) -> str:
        return "Secret('••••')"

    __str__ = __repr__

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Secret) and other._text == self._text

    def __hash__(self) -> int:
        return hash((Secret, self._text))

    def __bool__(self) -> bool:
        return bool(self._text)

    def __reduce__(self) -> tuple[Any, ...]:
        raise TypeError("A Secret is not pickled: it would leave this process in the clear.")
