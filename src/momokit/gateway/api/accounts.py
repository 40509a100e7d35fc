"""The routes of accounts, and the three questions that are put to MTN while the caller waits.

An outage of MTN's is an answer here ("could not check"), never an error of ours.
"""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Annotated, Any, Literal, TypeAlias

import msgspec
from litestar import Request, get, post
from litestar.params import FromPath, FromQuery, JSONBody, QueryParameter

from momokit._async.account import AsyncAccount
from momokit._async.client import AsyncClient
from momokit.errors import ConfigurationError, InvalidInput, MomoError
from momokit.gateway.api.bodies import HolderBody
from momokit.gateway.api.callers import ANY_READER, READ
from momokit.gateway.api.edge import Caller, Edge, caller_of, edge_of
from momokit.gateway.api.placing import account_for
from momokit.gateway.api.problems import Problem, problems
from momokit.gateway.api.views import masked
from momokit.gateway.core.breaker import LaneState
from momokit.gateway.core.payment import Work
from momokit.gateway.store import accounts
from momokit.gateway.store.accounts import Account
from momokit.gateway.store.deliveries import moment
from momokit.gateway.store.lanes import Lane, shut_lanes
from momokit.holder import Answer, Balance
from momokit.settings import PRODUCTS, Product

DEADLINE_SECONDS = 10.0
BALANCE_KEPT_SECONDS = 30.0
_TAGS = ["Accounts"]

Asked: TypeAlias = Request[Any, Any, Any]
Verdict: TypeAlias = Literal["yes", "no", "could_not_check"]


class LaneView(msgspec.Struct, frozen=True, kw_only=True):
    """A lane that is shut because MTN gives no answers: sends or questions of one product.

    It opens by itself; half_open is that one call is trying it.
    """

    product: str
    work: Literal["sends", "questions"]
    state: Literal["open", "half_open"]
    since: str


class AccountView(msgspec.Struct, frozen=True, kw_only=True):
    """An account: one market's credentials. Paused, it sends nothing.

    `shut_lanes` are those whose breaker is open; there are none when MTN answers.
    """

    id: str
    name: str
    market: str
    products: list[str]
    paused: bool
    paused_reason: str | None
    shut_lanes: list[LaneView]


class AccountList(msgspec.Struct, frozen=True, kw_only=True):
    """The accounts that the key may see."""

    items: list[AccountView]


class BalanceView(msgspec.Struct, frozen=True, kw_only=True):
    """What MTN said is in an account, and how long ago.

    `checked` is could_not_check when MTN gave no answer now; the amount is then the last one that
    was had, or null.
    """

    account_id: str
    product: str
    checked: Literal["yes", "could_not_check"]
    available_balance: str | None
    currency: str | None
    as_of: str | None
    age_seconds: float | None
    why: str | None


class HolderView(msgspec.Struct, frozen=True, kw_only=True):
    """What MTN says of a number's account: is it active, and whose is it.

    Three-valued: could_not_check is never a no.
    """

    party: str
    product: str
    active: Verdict
    found: Verdict
    name: str | None
    why: str | None


@dataclass
class Balances:
    """The last balances that were had, each asked for once however many want it at a time."""

    known: dict[tuple[str, str, str], tuple[float, Balance]] = field(default_factory=dict)
    locks: dict[tuple[str, str, str], asyncio.Lock] = field(default_factory=dict)


@get(
    "/v1/accounts",
    opt={"scopes": ANY_READER},
    tags=_TAGS,
    operation_id="list_accounts",
    summary="List the accounts",
    responses=problems(),
)
async def list_accounts(request: Asked) -> AccountList:
    """List the accounts that the key may use."""
    edge, caller = edge_of(request), caller_of(request)
    known, shut, now = await edge.store.read(
        lambda t: (accounts.list_accounts(t), shut_lanes(t), t.now)
    )
    seen = [one for one in known if caller.account_id in (None, one.id)]
    return AccountList(items=[_view(edge, one, shut, now=now) for one in seen])


@get(
    "/v1/accounts/{account:str}/balance",
    opt={"scopes": {READ}},
    tags=_TAGS,
    operation_id="get_balance",
    summary="Read what is in an account, and how old that is",
    responses=problems(404, 409),
)
async def get_balance(
    request: Asked,
    account: FromPath[str],
    product: FromQuery[Product | None] = None,
    currency: Annotated[str | None, QueryParameter(pattern="^[A-Z]{3}$")] = None,
) -> BalanceView:
    """Ask MTN for a balance; an answer of the last thirty seconds serves again."""
    edge, caller = edge_of(request), caller_of(request)
    one = _account(edge, caller, account)
    asked = _product(edge, one, product)
    balances: Balances = request.app.state["balances"]
    key = (one.id, asked, currency or "")
    async with balances.locks.setdefault(key, asyncio.Lock()):
        why = None
        then, balance = balances.known.get(key, (0.0, None))
        if balance is None or edge.clock() - then > BALANCE_KEPT_SECONDS:
            fresh, why = await ask_balance(edge, one.id, asked, currency)
            if fresh is not None:
                then, balance = edge.clock(), fresh
                balances.known[key] = (then, fresh)
    return BalanceView(
        account_id=one.id,
        product=asked,
        checked="yes" if why is None else "could_not_check",
        available_balance=_text(balance),
        currency=balance.currency if balance is not None else None,
        as_of=moment(then) if balance is not None else None,
        age_seconds=round(edge.clock() - then, 3) if balance is not None else None,
        why=why,
    )


@post(
    "/v1/accounts/{account:str}/holders/check",
    status_code=200,
    opt={"scopes": ANY_READER},
    tags=_TAGS,
    operation_id="check_holder",
    summary="Ask whether a number can pay and be paid, and whose it is",
    responses=problems(404, 409),
)
async def check_holder(
    request: Asked, account: FromPath[str], data: JSONBody[HolderBody]
) -> HolderView:
    """Ask MTN about the holder of a number, to compare the name before paying.

    The number is in the body: addresses are written into the logs of every proxy on the way.
    """
    edge, caller = edge_of(request), caller_of(request)
    edge.rates.holder_check(caller.key_id)
    one = _account(edge, caller, account)
    asked = _product(edge, one, data.product)
    party = edge.book.forms_of(one.id).party(data.party, field="party")
    active, found = Answer("could_not_check"), Answer("could_not_check")
    name, why = None, None
    try:
        async with asyncio.timeout(DEADLINE_SECONDS), edge.mtn_reads:
            calls = _calls(edge, one.id, asked)
            active = await calls.is_active(party)
            info = await calls.basic_user_info(party)
            found, name = info.found, info.info.full_name if info.info is not None else None
    except TimeoutError:
        why = "MTN did not answer in time."
    except ConfigurationError:
        raise
    except MomoError as error:
        why = error.message
    return HolderView(
        party=masked(party.id_type, party.id),
        product=asked,
        active=active.verdict,
        found=found.verdict,
        name=name,
        why=why or _why(active) or _why(found),
    )


async def ask_balance(
    edge: Edge, account_id: str, product: Product, currency: str | None
) -> tuple[Balance | None, str | None]:
    """Ask MTN for a balance once; without an answer, say why there is none."""
    try:
        async with asyncio.timeout(DEADLINE_SECONDS), edge.mtn_reads:
            return await _calls(edge, account_id, product).balance(currency), None
    except TimeoutError:
        return None, "MTN did not answer in time."
    except InvalidInput:
        raise
    except MomoError as error:
        return None, error.message


def _calls(edge: Edge, account_id: str, product: Product) -> AsyncAccount:
    if edge.clients is None:
        raise Problem("not_ready", "This process has no line to MTN.")
    client: AsyncClient = edge.clients(account_id)
    by_product: dict[Product, AsyncAccount] = {
        "collection": client.collection,
        "disbursement": client.disbursement,
        "remittance": client.remittance,
    }
    return by_product[product]


def _account(edge: Edge, caller: Caller, wanted: str) -> Account:
    return edge.book.account(account_for(edge, caller, wanted))


def _product(edge: Edge, account: Account, wanted: Product | None) -> Product:
    held = _products(edge, account)
    if wanted is not None and wanted not in held:
        detail = f"The account has no keys for {wanted}."
        raise Problem("product_not_held", detail, field="product")
    if not held:
        raise Problem("product_not_held")
    return wanted or held[0]


def _products(edge: Edge, account: Account) -> list[Product]:
    settings = edge.book.settings_of(account.id)
    return [product for product in PRODUCTS if getattr(settings, product) is not None]


def _lane_view(lane: Lane, *, now: float) -> LaneView:
    half_open = lane.breaker.state(now) is LaneState.HALF_OPEN
    return LaneView(
        product=lane.key.product,
        work="sends" if lane.key.work is Work.SUBMIT else "questions",
        state="half_open" if half_open else "open",
        since=moment(lane.breaker.opened_at),
    )


def _view(edge: Edge, account: Account, shut: Sequence[Lane], *, now: float) -> AccountView:
    try:
        products: list[str] = list(_products(edge, account))
    except InvalidInput:  # Added a moment ago: this process opens its keys in a while.
        products = []
    return AccountView(
        id=account.id,
        name=account.name,
        market=account.market,
        products=products,
        paused=account.paused_reason is not None,
        paused_reason=account.paused_reason,
        shut_lanes=[_lane_view(one, now=now) for one in shut if one.key.account_id == account.id],
    )


def _text(balance: Balance | None) -> str | None:
    if balance is None or balance.available_balance is None:
        return None
    return str(balance.available_balance)


def _why(answer: Answer) -> str | None:
    return answer.error.message if answer.could_not_check and answer.error is not None else None


ROUTES = [list_accounts, get_balance, check_holder]
