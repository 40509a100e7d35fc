"""Uses of the blocking client, as a strict type checker sees them. Checked, never run."""

from __future__ import annotations

from decimal import Decimal
from typing import assert_type
from uuid import UUID

from momokit import (
    MSISDN,
    Accepted,
    Client,
    Credentials,
    Market,
    Money,
    OutcomeUnknown,
    Party,
    PollPlan,
    Progress,
    RetryPolicy,
    Secret,
    Sender,
    Settings,
    WaitResult,
)
from momokit.holder import (
    Answer,
    ApiUser,
    Balance,
    ConsentRequest,
    ConsentToken,
    HolderInfo,
    PreApprovalDetails,
    UserInfo,
)
from momokit.models import (
    CashTransferResult,
    DepositResult,
    InvoiceResult,
    Outcome,
    PaymentResult,
    PreApprovalResult,
    RefundResult,
    RequestToPayResult,
    TransferResult,
    WithdrawResult,
)
from momokit.told import ReasonTold


def made() -> None:
    """The ways to make a client."""
    keys = Credentials(subscription_key="a", api_user="b", api_key=Secret("c"))
    Client(market="uganda", collection=keys, retry=RetryPolicy(attempts=2))
    Client(Settings(market=Market.get("ghana"), disbursement=keys))
    with Client.from_env({"MOMO_MARKET": "sandbox"}, deadline_seconds=5.0) as momo:
        assert_type(momo, Client)
    assert_type(Client.from_file("momo.toml").settings, Settings)


def collected(momo: Client) -> None:
    """Everything under `collection`."""
    number = MSISDN.parse("0772 123 456", market="uganda")
    assert_type(momo.collection.request_to_pay(amount="5000", payer="0772123456"), Accepted)
    momo.collection.request_to_pay(
        amount=Money("5000", "UGX"),
        payer=number,
        payer_message="Order 7",
        idempotency_key="order-7",
        external_id="7",
        clean_notes=True,
        callback_url=None,
    )
    momo.collection.request_to_pay(
        amount=Decimal("12.50"), payer=Party.email("a@b.example"), reference_id=UUID(int=0)
    )
    assert_type(momo.collection.request_to_pay_status("id"), RequestToPayResult)
    assert_type(momo.collection.deliver_notification("id", "Thanks", language="en"), None)
    assert_type(momo.collection.withdraw(amount=1, payer=number, version=2), Accepted)
    assert_type(momo.collection.withdraw_status("id"), WithdrawResult)
    assert_type(
        momo.collection.create_invoice(amount=1, intended_payer=number, payee=number), Accepted
    )
    assert_type(momo.collection.invoice_status("id"), InvoiceResult)
    assert_type(momo.collection.cancel_invoice("id", external_id="7"), Accepted)
    assert_type(momo.collection.pre_approval(payer=number), Accepted)
    assert_type(momo.collection.pre_approval_status("id"), PreApprovalResult)
    assert_type(momo.collection.approved_pre_approvals(number), tuple[PreApprovalDetails, ...])
    assert_type(momo.collection.cancel_pre_approval("7"), Accepted)
    assert_type(
        momo.collection.create_payment(
            amount=1, customer_reference="meter", service_provider_user_name="power"
        ),
        Accepted,
    )
    assert_type(momo.collection.payment_status("id"), PaymentResult)


def disbursed(momo: Client) -> None:
    """Everything under `disbursement` and `remittance`."""
    assert_type(momo.disbursement.transfer(amount=1, payee="0772123456"), Accepted)
    assert_type(momo.disbursement.transfer_status("id"), TransferResult)
    assert_type(momo.disbursement.deposit(amount=1, payee="0772123456"), Accepted)
    assert_type(momo.disbursement.deposit_status("id"), DepositResult)
    assert_type(momo.disbursement.refund(amount=1, reference_id_to_refund="id"), Accepted)
    assert_type(momo.disbursement.refund_status("id"), RefundResult)
    assert_type(momo.remittance.transfer(amount=1, payee="0772123456"), Accepted)
    assert_type(momo.remittance.transfer_status("id"), TransferResult)
    sent = momo.remittance.cash_transfer(
        amount=36_000,
        payee="0772123456",
        originating_country="SE",
        original_amount="10.50",
        original_currency="EUR",
        sender=Sender(surname="Berg"),
    )
    assert_type(sent, Accepted)
    assert_type(momo.remittance.cash_transfer_status("id"), CashTransferResult)


def asked(momo: Client) -> None:
    """What every product can be asked."""
    balance = momo.collection.balance()
    assert_type(balance, Balance)
    assert_type(balance.available_balance, Decimal | None)
    assert_type(momo.disbursement.is_active("0772123456"), Answer)
    assert_type(momo.disbursement.is_active("0772123456").yes, bool)
    assert_type(momo.remittance.basic_user_info("0772123456"), HolderInfo)
    assert_type(momo.collection.bc_authorize("0772123456", scope="profile"), ConsentRequest)
    assert_type(momo.collection.oauth2_token(auth_req_id="id"), ConsentToken)
    assert_type(momo.collection.user_info("token"), UserInfo)
    assert_type(momo.collection.token(), Secret)
    assert_type(momo.sandbox.create_api_user(callback_host="shop.example"), str)
    assert_type(momo.sandbox.api_user("id"), ApiUser)
    assert_type(momo.sandbox.create_api_key("id"), Secret)
    assert_type(momo.sandbox.provision(callback_host="shop.example"), Credentials)


def waited(momo: Client, accepted: Accepted) -> None:
    """Waiting, and the three ways in which a wait ends."""

    def on_progress(news: Progress) -> None:
        assert_type(news.outcome, Outcome | None)

    assert_type(momo.status(accepted), Outcome)
    result = momo.wait(accepted, on_progress=on_progress, plan=PollPlan(first_seconds=2))
    assert_type(result, WaitResult)
    if result.state == "failed":
        assert_type(result.reason, ReasonTold | None)
    elif result.state == "open":
        momo.wait(result.reference_id, kind="request_to_pay", timeout_seconds=60)


def unknown(momo: Client) -> str | None:
    """The one error that must not be answered by paying again."""
    try:
        momo.disbursement.transfer(amount=1, payee="0772123456")
    except OutcomeUnknown as error:
        return error.reference_id
    return None
