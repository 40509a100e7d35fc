"""Everything momokit raises, in one tree.

    MomoError
    ├── InvalidInput (also ValueError)     your value was refused here; nothing was sent
    │   └── ConfigurationError             your settings do not fit together; nothing was sent
    ├── MissingExtra (also ImportError)    an optional part is not installed; says how to
    ├── SignatureError (also ValueError)   a webhook is not ours, or is too old
    └── ProviderError                      a call to MTN did not give the plain answer
        ├── Refused                        MTN said no: it did NOT happen
        │   ├── AuthenticationFailed       key, user or token not accepted
        │   ├── PermissionDenied           not allowed from here, or not for this account
        │   ├── NotFound                   MTN knows no such thing (or not yet)
        │   └── AlreadyExists              another request used this reference id before
        ├── NotSent                        it never left, or was turned away: it did NOT happen
        │   └── RateLimited                held back by MTN (429); try later
        ├── Unavailable                    a question got no usable answer; nothing moved
        └── OutcomeUnknown                 a request got no readable answer: it MAY have happened

The line that matters for money runs between `OutcomeUnknown` and the rest. A refused or unsent
payment may be tried again; an unknown one may only be asked about, or resent with the *same*
reference id.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any


class MomoError(Exception):
    """The root of the tree: catch it to catch all that momokit raises on purpose.

    `hint` says whose move it is and what the move is; `retry_is_safe` says whether doing the same
    again could move money twice (False) or not (True).
    """

    hint: str
    retry_is_safe: bool = True

    def __init__(self, message: str, *, hint: str = "") -> None:
        super().__init__(message)
        self.message = message
        self.hint = hint

    def __str__(self) -> str:
        return f"{self.message} {self.hint}".rstrip()

    def __reduce__(self) -> tuple[Any, ...]:
        return (_rebuild, (type(self), self.__getstate__()))

    def __getstate__(self) -> dict[str, Any]:
        # A callable bound to an open client cannot cross a process boundary; the facts can.
        return {k: v for k, v in self.__dict__.items() if not callable(v)}


def _rebuild(cls: type[MomoError], state: dict[str, Any]) -> MomoError:
    error = cls.__new__(cls)
    error.__dict__.update(state)
    error.args = (state.get("message", ""),)
    return error


class InvalidInput(MomoError, ValueError):
    """A value was refused before anything was sent.

    `field` names the argument; correct it and call again.
    """

    def __init__(self, message: str, *, field: str, hint: str = "") -> None:
        super().__init__(message, hint=hint)
        self.field = field


class ConfigurationError(InvalidInput):
    """The settings do not fit together (market, host, keys, callback host).

    `field` names the setting.
    """


class MissingExtra(MomoError, ImportError):
    """An optional part of momokit is not installed; the message carries the sentence that
    installs it."""

    def __init__(self, extra: str, *, missing: str) -> None:
        super().__init__(
            f"This part of momokit needs {missing!r}, which is not installed.",
            hint=f"Install it with: pip install 'momokit[{extra}]'",
        )
        self.extra = extra
        self.missing = missing


class SignatureError(MomoError, ValueError):
    """A webhook's signature or time stamp did not verify: answer 400 and change nothing."""


class ProviderError(MomoError):
    """A call to MTN did not give the plain answer.

    Every one of these carries the reference id of the call, when the call had one, so that no
    payment can be lost together with its exception. Branch on the class and on `code`, never on the
    wording.

    `operation` is MTN's operation id; `status` the HTTP status, None when there was no answer;
    `code` MTN's code from the body (`reason_of(error.code)` in `momokit.reasons` explains it);
    `detail` MTN's own words, shortened and with long numbers masked; `attempts` how many times the
    request was put on the wire.
    """

    def __init__(
        self,
        message: str,
        *,
        hint: str = "",
        operation: str = "",
        reference_id: str | None = None,
        status: int | None = None,
        code: str | None = None,
        detail: str = "",
        attempts: int = 1,
    ) -> None:
        super().__init__(message, hint=hint)
        self.operation = operation
        self.detail = detail
        self.reference_id = reference_id
        self.status = status
        self.code = code
        self.attempts = attempts

    def __str__(self) -> str:
        told = " ".join(part for part in (self.message, self.hint) if part)
        return f"{told} [reference id {self.reference_id}]" if self.reference_id else told


class Refused(ProviderError):
    """MTN refused the request: it did not happen.

    A new attempt (with a new reference id) cannot pay twice.
    """


class AuthenticationFailed(Refused):
    """A subscription key, an API user or key, or a token was not accepted, even after one
    renewal."""


class PermissionDenied(Refused):
    """MTN's gateway answered 403: this address is not on its list, or the product is not enabled
    for us."""


class NotFound(Refused):
    """MTN knows no such thing.

    For a reference id just sent, this can mean "not visible yet", not "failed".
    """


class AlreadyExists(Refused):
    """The reference id was used before, by a request that this call did not send.

    Ask for its status first.
    """


class NotSent(ProviderError):
    """No connection to MTN was had (DNS, connect, TLS), so nothing was sent; the same call may
    be repeated."""


class RateLimited(NotSent):
    """MTN answered 429: it did not process the call.

    `retry_after_seconds` is None when MTN did not say.
    """

    def __init__(
        self, message: str, *, retry_after_seconds: float | None = None, **details: Any
    ) -> None:
        super().__init__(message, **details)
        self.retry_after_seconds = retry_after_seconds


class Unavailable(ProviderError):
    """A question to MTN (a status, a balance) got no usable answer.

    Nothing moved; asking again is safe.
    """


class OutcomeUnknown(ProviderError):
    """The request may have reached MTN, and no readable answer came: the money may move.

    Never start a new payment in its place. Keep `reference_id`, and call `resolve()` (or `await
    resolve()` on an async client) to ask MTN what became of it; or repeat the call with the same
    `reference_id` and the same values. `resolve` is None where the operation has no status to ask
    for.
    """

    retry_is_safe = False

    def __init__(
        self,
        message: str,
        *,
        resolve: Callable[..., Any] | None = None,
        **details: Any,
    ) -> None:
        super().__init__(message, **details)
        self.resolve = resolve

    def __getstate__(self) -> dict[str, Any]:
        return {**super().__getstate__(), "resolve": None}
