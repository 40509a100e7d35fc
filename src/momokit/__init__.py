"""momokit: MTN Mobile Money for Python.

    from momokit import Client

    with Client.from_env() as momo:
        accepted = momo.collection.request_to_pay(amount="5000", payer="0772 123 456")
        result = momo.wait(accepted)

Values and errors are here at once; `Client` and `AsyncClient` are loaded when first used, so that
verifying a webhook does not cost an HTTP library. The path of a call is told in ARCHITECTURE.md.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from momokit._version import __version__ as __version__
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
from momokit.money import Money as Money
from momokit.party import MSISDN as MSISDN
from momokit.party import Party as Party

if TYPE_CHECKING:
    from momokit._async.client import AsyncClient as AsyncClient
    from momokit._sync.client import Client as Client
    from momokit.models import Accepted as Accepted
    from momokit.models import Progress as Progress
    from momokit.models import WaitResult as WaitResult
    from momokit.operations.ask import PollPlan as PollPlan
    from momokit.operations.remittance import Sender as Sender
    from momokit.operations.token import TokenStore as TokenStore
    from momokit.retry import RetryPolicy as RetryPolicy
    from momokit.secret import Secret as Secret
    from momokit.settings import Credentials as Credentials
    from momokit.settings import Settings as Settings

_LATER = {
    "Accepted": "momokit.models",
    "AsyncClient": "momokit._async.client",
    "Client": "momokit._sync.client",
    "Credentials": "momokit.settings",
    "PollPlan": "momokit.operations.ask",
    "Progress": "momokit.models",
    "RetryPolicy": "momokit.retry",
    "Secret": "momokit.secret",
    "Sender": "momokit.operations.remittance",
    "Settings": "momokit.settings",
    "TokenStore": "momokit.operations.token",
    "WaitResult": "momokit.models",
}


def __getattr__(name: str) -> object:
    home = _LATER.get(name)
    if home is None:
        raise AttributeError(f"module 'momokit' has no attribute {name!r}")
    from importlib import import_module

    value: object = getattr(import_module(home), name)
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    return sorted({*globals(), *_LATER})
