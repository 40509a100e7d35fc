"""MTN's operation catalogue: which path and method is which operation, and who answers it."""

from __future__ import annotations

from typing import Any, NamedTuple

from . import (
    account,
    collection,
    collection_bills,
    consent,
    disbursement,
    preapproval,
    provisioning,
    remittance,
)
from .call import Operation

_C = ("collection",)
_D = ("disbursement",)
_R = ("remittance",)
_DR = ("disbursement", "remittance")
_ALL = ("collection", "disbursement", "remittance")
_ROOT = ("",)


def _op(
    id_: str,
    line: str,
    products: tuple[str, ...],
    kind: str,
    handler: Any,
    auth: str = "bearer",
    **more: bool,
) -> Operation:
    method, _, path = line.partition(" ")
    return Operation(id_, method, path, products, kind, auth, handler, **more)


OPERATIONS: tuple[Operation, ...] = (
    _op(
        "CreateAccessToken",
        "POST /token/",
        _ALL,
        "token",
        provisioning.create_token,
        "none",
        wants_environment=False,
        bodyless=True,
    ),
    _op(
        "CreateAccessToken",
        "POST /token",
        _ALL,
        "token",
        provisioning.token_without_slash,
        "none",
        wants_environment=False,
    ),
    _op(
        "CreateOauth2Token",
        "POST /oauth2/token/",
        _ALL,
        "token",
        consent.create_consent_token,
        "basic",
    ),
    _op("bc-authorize", "POST /v1_0/bc-authorize", _ALL, "account", consent.authorize, "either"),
    _op(
        "GetUserInfoWithConsent",
        "GET /oauth2/v1_0/userinfo",
        _ALL,
        "account",
        consent.user_info,
        "consent",
    ),
    _op("GetAccountBalance", "GET /v1_0/account/balance", _ALL, "account", account.balance),
    _op(
        "GetAccountBalanceInSpecificCurrency",
        "GET /v1_0/account/balance/{currency}",
        _ALL,
        "account",
        account.balance_in_currency,
    ),
    _op(
        "ValidateAccountHolderStatus",
        "GET /v1_0/accountholder/{accountHolderIdType}/{accountHolderId}/active",
        _ALL,
        "account",
        account.active,
    ),
    _op(
        "GetBasicUserinfo",
        "GET /v1_0/accountholder/{accountHolderIdType}/{accountHolderId}/basicuserinfo",
        _ALL,
        "account",
        account.basic_user_info,
    ),
    _op("RequesttoPay", "POST /v1_0/requesttopay", _C, "create", collection.request_to_pay),
    _op(
        "RequesttoPayTransactionStatus",
        "GET /v1_0/requesttopay/{referenceId}",
        _C,
        "status",
        collection.request_to_pay_status,
    ),
    _op(
        "RequesttoPayDeliveryNotification",
        "POST /v1_0/requesttopay/{referenceId}/deliverynotification",
        _ALL,
        "change",
        collection.delivery_notification,
    ),
    _op(
        "RequestToWithdraw-V1",
        "POST /v1_0/requesttowithdraw",
        _C,
        "create",
        collection.withdraw_v1,
    ),
    _op(
        "RequestToWithdraw-V2",
        "POST /v2_0/requesttowithdraw",
        _C,
        "create",
        collection.withdraw_v2,
    ),
    _op(
        "RequestToWithdrawTransactionStatus",
        "GET /v1_0/requesttowithdraw/{referenceId}",
        _C,
        "status",
        collection.withdraw_status,
    ),
    _op("CreateInvoice", "POST /v2_0/invoice", _C, "create", collection_bills.create_invoice),
    _op(
        "GetInvoiceStatus",
        "GET /v2_0/invoice/{x-referenceId}",
        _C,
        "status",
        collection_bills.invoice_status,
    ),
    _op(
        "CancelInvoice",
        "DELETE /v2_0/invoice/{referenceId}",
        _C,
        "change",
        collection_bills.cancel_invoice,
    ),
    _op("PreApproval", "POST /v2_0/preapproval", _C, "create", preapproval.create_preapproval),
    _op(
        "GetPreApprovalStatus",
        "GET /v2_0/preapproval/{referenceId}",
        _C,
        "status",
        preapproval.preapproval_status,
    ),
    _op(
        "GetApprovedPreApprovals",
        "GET /v1_0/preapprovals/{accountHolderIdType}/{accountHolderId}",
        _C,
        "account",
        preapproval.list_preapprovals,
    ),
    _op(
        "CancelPreApproval",
        "DELETE /v1_0/preapproval/{preapprovalid}",
        _C,
        "change",
        preapproval.cancel_preapproval,
    ),
    _op("CreatePayments", "POST /v2_0/payment", _C, "create", collection_bills.create_payment),
    _op(
        "GetPaymentStatus",
        "GET /v2_0/payment/{x-referenceId}",
        _C,
        "status",
        collection_bills.payment_status,
    ),
    _op("Deposit-V1", "POST /v1_0/deposit", _D, "create", disbursement.deposit_v1),
    _op("Deposit-V2", "POST /v2_0/deposit", _D, "create", disbursement.deposit_v2),
    _op(
        "GetDepositStatus",
        "GET /v1_0/deposit/{referenceId}",
        _D,
        "status",
        disbursement.deposit_status,
    ),
    _op("Refund-V1", "POST /v1_0/refund", _D, "create", disbursement.refund_v1),
    _op("Refund-V2", "POST /v2_0/refund", _D, "create", disbursement.refund_v2),
    _op(
        "GetRefundStatus",
        "GET /v1_0/refund/{referenceId}",
        _D,
        "status",
        disbursement.refund_status,
    ),
    _op("Transfer", "POST /v1_0/transfer", _DR, "create", disbursement.transfer),
    _op(
        "GetTransferStatus",
        "GET /v1_0/transfer/{referenceId}",
        _DR,
        "status",
        disbursement.transfer_status,
    ),
    _op("CashTransfer", "POST /v2_0/cashtransfer", _R, "create", remittance.cash_transfer),
    _op(
        "GetCashTransferStatus",
        "GET /v2_0/cashtransfer/{referenceId}",
        _R,
        "status",
        remittance.cash_transfer_status,
    ),
    _op(
        "post-v1_0-apiuser",
        "POST /v1_0/apiuser",
        _ROOT,
        "provisioning",
        provisioning.create_user,
        "none",
        wants_environment=False,
    ),
    _op(
        "get-v1_0-apiuser",
        "GET /v1_0/apiuser/{X-Reference-Id}",
        _ROOT,
        "provisioning",
        provisioning.read_user,
        "none",
        wants_environment=False,
    ),
    _op(
        "post-v1_0-apiuser-apikey",
        "POST /v1_0/apiuser/{X-Reference-Id}/apikey",
        _ROOT,
        "provisioning",
        provisioning.create_key,
        "none",
        wants_environment=False,
        bodyless=True,
    ),
)


class Route(NamedTuple):
    """Where a request belongs: the operation, the product and the values in the path."""

    operation: Operation
    product: str
    parameters: list[str]


class _Node:
    """One segment of the paths there are: what may follow it, and what it answers itself."""

    __slots__ = ("anything", "following", "methods")

    def __init__(self) -> None:
        self.following: dict[str, _Node] = {}
        self.anything: _Node | None = None
        self.methods: dict[str, tuple[Operation, str]] = {}

    def grow(self, segment: str) -> _Node:
        """Give the node for a segment, a new one if need be."""
        if not segment.startswith("{"):
            return self.following.setdefault(segment, _Node())
        self.anything = self.anything or _Node()
        return self.anything


def _grow() -> _Node:
    root = _Node()
    for operation in OPERATIONS:
        for product in operation.products:
            path = f"/{product}{operation.path}" if product else operation.path
            node = root
            for segment in path.split("/")[1:]:
                node = node.grow(segment)
            node.methods[operation.method] = (operation, product)
    return root


_ROOT_NODE = _grow()


def find_route(method: str, path: str) -> Route | None:
    """Find the operation for a method and path; None is what the gateway answers 404."""
    node = _ROOT_NODE
    parameters: list[str] = []
    for segment in path.split("/")[1:]:
        following = node.following.get(segment)
        if following is None:
            following = node.anything
            if following is None or not segment:
                return None
            parameters.append(segment)
        node = following
    found = node.methods.get(method)
    return Route(found[0], found[1], parameters) if found else None
