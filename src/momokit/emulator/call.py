"""One request on its way through the emulator, and the exception that refuses it."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, NamedTuple

from .exchange import Reply, Request
from .faults import Target
from .records import User
from .state import State


class Refusal(Exception):
    """Ends a request with the reply that refuses it."""

    def __init__(self, reply: Reply) -> None:
        super().__init__(reply.status)
        self.reply = reply


class Call:
    """What a handler needs to know of a request."""

    __slots__ = (
        "_user",
        "faulty",
        "now",
        "operation",
        "parameters",
        "product",
        "request",
        "state",
        "target",
    )

    def __init__(
        self,
        *,
        state: State,
        request: Request,
        operation: Operation,
        product: str,
        parameters: list[str],
        target: Target | None,
    ) -> None:
        self.state = state
        self.request = request
        self.operation = operation
        self.product = product
        self.parameters = parameters
        self.target = target
        self.faulty = target is not None
        self.now = state.clock.now()
        self._user: User | None = None

    @property
    def user(self) -> User:
        """The API user whose credentials were accepted."""
        if self._user is None:
            raise LookupError("this operation has no API user")
        return self._user

    @user.setter
    def user(self, user: User) -> None:
        """Take the API user whose credentials were accepted."""
        self._user = user

    def header(self, name: str) -> str:
        """Find a header by its lower-case name; empty when it is absent."""
        return self.request.headers.get(name, "")

    def fault(self, name: str) -> dict[str, Any] | None:
        """Take a fault when this request meets it."""
        if self.target is None:
            return None
        return self.state.faults.take(name, self.target)


class Operation(NamedTuple):
    """One operation of MTN's catalogue and the handler that answers it."""

    id: str
    method: str
    path: str
    products: tuple[str, ...]
    kind: str
    """`token`, `create`, `status`, `account`, `change` or `provisioning`: what faults go by."""
    auth: str
    """`bearer`, `basic`, `either` or `none`."""
    handler: Callable[[Call], Reply]
    wants_environment: bool = True
    bodyless: bool = False
