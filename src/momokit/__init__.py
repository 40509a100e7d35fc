"""momokit: MTN Mobile Money for Python.

    from momokit import Client

    with Client.from_env() as momo:
        accepted = momo.collection.request_to_pay(amount="5000", payer="0772 123 456")
        result = momo.wait(accepted)

Each name is loaded from its module when first used, so that whoever verifies a webhook or reads an
amount does not pay for an HTTP library. The path of a call is told in ARCHITECTURE.md.
"""

from __future__ import annotations

from momokit._version import __version__ as __version__

# Type checkers take this name for true; importing `typing` for it would cost most of the time.
TYPE_CHECKING = False

if TYPE_CHECKING:
    from momokit._async.client import AsyncClient as AsyncClient
    from momokit._sync.client import Client as Client
    from momokit.callbacks import CallbackHint as CallbackHint
    from momokit.callbacks import read_callback as read_callback
    from momokit.errors import AlreadyExists as AlreadyExists
    from momokit.errors import AuthenticationFailed as AuthenticationFailed
    from momokit.errors import ConfigurationError as ConfigurationError
    from momokit.errors import InvalidInput as InvalidInput
    from momokit.errors import MissingExtra as MissingExtra
    from momokit.errors import MomoError as MomoError
    from momokit.errors import NotFound as NotFound
    from momokit.errors import NotSent as NotSent
    from momokit.errors import OutcomeUnknown as OutcomeUnknown
    from momokit.errors import PermissionDenied as PermissionDenied
    from momokit.errors import ProviderError as ProviderError
    from momokit.errors import RateLimited as RateLimited
    from momokit.errors import Refused as Refused
    from momokit.errors import SignatureError as SignatureError
    from momokit.errors import Unavailable as Unavailable
    from momokit.market import MARKETS as MARKETS
    from momokit.market import Market as Market
    from momokit.models import Accepted as Accepted
    from momokit.models import Progress as Progress
    from momokit.models import WaitResult as WaitResult
    from momokit.money import Money as Money
    from momokit.operations.ask import PollPlan as PollPlan
    from momokit.operations.exchange import Exchanged as Exchanged
    from momokit.operations.exchange import Observer as Observer
    from momokit.operations.remittance import Sender as Sender
    from momokit.operations.token import TokenStore as TokenStore
    from momokit.party import MSISDN as MSISDN
    from momokit.party import Party as Party
    from momokit.retry import RetryPolicy as RetryPolicy
    from momokit.secret import Secret as Secret
    from momokit.settings import Credentials as Credentials
    from momokit.settings import Settings as Settings

_HOMES = {
    "Accepted": "momokit.models",
    "AlreadyExists": "momokit.errors",
    "AsyncClient": "momokit._async.client",
    "AuthenticationFailed": "momokit.errors",
    "CallbackHint": "momokit.callbacks",
    "Client": "momokit._sync.client",
    "ConfigurationError": "momokit.errors",
    "Credentials": "momokit.settings",
    "Exchanged": "momokit.operations.exchange",
    "InvalidInput": "momokit.errors",
    "MARKETS": "momokit.market",
    "MSISDN": "momokit.party",
    "Market": "momokit.market",
    "MissingExtra": "momokit.errors",
    "MomoError": "momokit.errors",
    "Money": "momokit.money",
    "NotFound": "momokit.errors",
    "NotSent": "momokit.errors",
    "Observer": "momokit.operations.exchange",
    "OutcomeUnknown": "momokit.errors",
    "Party": "momokit.party",
    "PermissionDenied": "momokit.errors",
    "PollPlan": "momokit.operations.ask",
    "Progress": "momokit.models",
    "ProviderError": "momokit.errors",
    "RateLimited": "momokit.errors",
    "Refused": "momokit.errors",
    "RetryPolicy": "momokit.retry",
    "Secret": "momokit.secret",
    "Sender": "momokit.operations.remittance",
    "Settings": "momokit.settings",
    "SignatureError": "momokit.errors",
    "TokenStore": "momokit.operations.token",
    "Unavailable": "momokit.errors",
    "WaitResult": "momokit.models",
    "read_callback": "momokit.callbacks",
}
_MODULES = ("callbacks", "errors", "market", "money", "notes", "party", "reasons", "webhooks")


# Hidden from type checkers, who would otherwise believe in every name.
if not TYPE_CHECKING:

    def __getattr__(name: str) -> object:
        from importlib import import_module

        if name in _MODULES:
            return import_module(f"momokit.{name}")
        home = _HOMES.get(name)
        if home is None:
            raise AttributeError(f"module 'momokit' has no attribute {name!r}")
        value: object = getattr(import_module(home), name)
        globals()[name] = value
        return value


def __dir__() -> list[str]:
    return sorted({*globals(), *_HOMES, *_MODULES} - {"TYPE_CHECKING"})
