"""Collections: money comes in.

Each function fills in one form; nothing here touches the network.
"""

from __future__ import annotations

from urllib.parse import quote

from momokit.errors import InvalidInput
from momokit.holder import PreApprovalDetails
from momokit.models import (
    InvoiceResult,
    PaymentResult,
    PreApprovalResult,
    RequestToPayResult,
    WithdrawResult,
)
from momokit.notes import check_external_id, check_note
from momokit.operations.ask import ask, ask_json
from momokit.operations.exchange import Operation, Request, encode
from momokit.operations.forms import (
    AmountLike,
    Filing,
    Forms,
    PartyLike,
    check_header,
    check_reference_id,
)
from momokit.operations.kind import Kind
from momokit.operations.submit import Submission
from momokit.operations.token import Access

REQUEST_TO_PAY = Kind(
    name="request_to_pay",
    product="collection",
    operation="RequesttoPay",
    path="/v1_0/requesttopay",
    status_operation="RequesttoPayTransactionStatus",
    status_path="/v1_0/requesttopay",
    model=RequestToPayResult,
)
WITHDRAW = Kind(
    name="withdraw",
    product="collection",
    operation="RequestToWithdraw-V1",
    path="/v1_0/requesttowithdraw",
    status_operation="RequestToWithdrawTransactionStatus",
    status_path="/v1_0/requesttowithdraw",
    model=WithdrawResult,
)
WITHDRAW_V2 = Kind(
    name="withdraw",
    product="collection",
    operation="RequestToWithdraw-V2",
    path="/v2_0/requesttowithdraw",
    status_operation="RequestToWithdrawTransactionStatus",
    status_path="/v1_0/requesttowithdraw",
    model=WithdrawResult,
)
INVOICE = Kind(
    name="invoice",
    product="collection",
    operation="CreateInvoice",
    path="/v2_0/invoice",
    status_operation="GetInvoiceStatus",
    status_path="/v2_0/invoice",
    model=InvoiceResult,
)
PRE_APPROVAL = Kind(
    name="pre_approval",
    product="collection",
    operation="PreApproval",
    path="/v2_0/preapproval",
    status_operation="GetPreApprovalStatus",
    status_path="/v2_0/preapproval",
    model=PreApprovalResult,
)
PAYMENT = Kind(
    name="payment",
    product="collection",
    operation="CreatePayments",
    path="/v2_0/payment",
    status_operation="GetPaymentStatus",
    status_path="/v2_0/payment",
    model=PaymentResult,
)


def from_payer(
    forms: Forms,
    kind: Kind,
    *,
    amount: AmountLike,
    currency: str | None,
    payer: PartyLike,
    payer_message: str | None,
    payee_note: str | None,
    transfer_type: str | None = None,
    filing: Filing,
) -> Submission:
    """Fill in a request to pay or a withdrawal: the payer is asked to approve."""
    money = forms.money(amount, currency=currency)
    party = forms.party(payer, field="payer").wire
    return forms.submission(
        kind,
        {
            "amount": money.wire,
            "currency": money.currency,
            "payer": party,
            "transferType": transfer_type,
        },
        filing=filing,
        notes={"payerMessage": payer_message, "payeeNote": payee_note},
        expected={"amount": money.amount, "currency": money.currency, "payer": party},
    )


def invoice(
    forms: Forms,
    *,
    amount: AmountLike,
    currency: str | None,
    intended_payer: PartyLike,
    payee: PartyLike,
    validity_seconds: int,
    description: str | None,
    filing: Filing,
) -> Submission:
    """Fill in an invoice."""
    money = forms.money(amount, currency=currency)
    party = forms.party(intended_payer, field="intended_payer").wire
    return forms.submission(
        INVOICE,
        {
            "amount": money.wire,
            "currency": money.currency,
            # MTN wants this number as a string here and as a number in a pre-approval.
            "validityDuration": str(whole_seconds(validity_seconds, field="validity_seconds")),
            "intendedPayer": party,
            "payee": forms.party(payee, field="payee").wire,
        },
        filing=filing,
        notes={"description": description},
        expected={"amount": money.amount, "currency": money.currency, "intendedPayer": party},
    )


def invoice_cancellation(forms: Forms, *, invoice_reference_id: str, filing: Filing) -> Submission:
    """Fill in the cancellation of an invoice.

    It has a reference id of its own and no status of its own.
    """
    invoice_id = check_reference_id(invoice_reference_id, field="invoice_reference_id")
    cancel = Kind(
        name="invoice_cancellation",
        product="collection",
        operation="CancelInvoice",
        path=f"/v2_0/invoice/{invoice_id}",
        status_operation="GetInvoiceStatus",
        status_path="/v2_0/invoice",
        model=InvoiceResult,
    )
    if filing.external_id is None:
        raise InvalidInput("MTN wants the external id of the invoice.", field="external_id")
    external_id = check_external_id(filing.external_id)
    reference_id, is_ours = forms.reference(cancel, filing=filing)
    return Submission(
        kind=cancel.name,
        product=cancel.product,
        reference_id=reference_id,
        external_id=external_id,
        request=Request(
            cancel.operation,
            "DELETE",
            cancel.url_path,
            forms.headers(reference_id, filing.callback_url),
            encode({"externalId": external_id}),
            reference_id,
        ),
        status_path=None,
        id_is_ours=is_ours,
    )


def pre_approval(
    forms: Forms,
    *,
    payer: PartyLike,
    currency: str | None,
    payer_message: str | None,
    validity_seconds: int,
    filing: Filing,
) -> Submission:
    """Fill in a pre-approval: the payer allows later requests to pay to run without a prompt."""
    party = forms.party(payer, field="payer").wire
    code = currency or forms.market.currency
    if code not in forms.market.currencies:
        raise InvalidInput(
            f"{forms.market.country} takes {' or '.join(forms.market.currencies)}, not {code}.",
            field="currency",
        )
    return forms.submission(
        PRE_APPROVAL,
        {
            "payer": party,
            "payerCurrency": code,
            "validityTime": whole_seconds(validity_seconds, field="validity_seconds"),
        },
        filing=filing,
        notes={"payerMessage": payer_message},
        external_id_field=None,
        expected={"payer": party, "payerCurrency": code},
    )


def pre_approval_cancellation(*, pre_approval_id: str) -> Submission:
    """Fill in the cancellation of an approved pre-approval, known by MTN's id for it."""
    if not pre_approval_id or not pre_approval_id.strip():
        raise InvalidInput("The id of the pre-approval is missing.", field="pre_approval_id")
    path = f"/collection/v1_0/preapproval/{quote(pre_approval_id, safe='')}"
    return Submission(
        kind="pre_approval_cancellation",
        product="collection",
        reference_id=pre_approval_id,
        external_id=None,
        request=Request("CancelPreApproval", "DELETE", path, {}, b"", pre_approval_id),
        status_path=None,
    )


def payment(
    forms: Forms,
    *,
    amount: AmountLike,
    currency: str | None,
    customer_reference: str,
    service_provider_user_name: str,
    coupon_id: str | None,
    product_id: str | None,
    product_offering_id: str | None,
    receiver_message: str | None,
    sender_note: str | None,
    max_number_of_retries: int | None,
    include_sender_charges: bool | None,
    transfer_type: str | None,
    filing: Filing,
) -> Submission:
    """Fill in a payment of a bill or of airtime."""
    money = forms.money(amount, currency=currency)
    for name, text in (
        ("customer_reference", customer_reference),
        ("service_provider_user_name", service_provider_user_name),
    ):
        if not text or not text.strip():
            raise InvalidInput(f"{name} must not be empty.", field=name)
    return forms.submission(
        PAYMENT,
        {
            "money": {"amount": money.wire, "currency": money.currency},
            "customerReference": customer_reference,
            "serviceProviderUserName": service_provider_user_name,
            "couponId": coupon_id,
            "productId": product_id,
            "productOfferingId": product_offering_id,
            "maxNumberOfRetries": max_number_of_retries,
            "includeSenderCharges": include_sender_charges,
            "transferType": transfer_type,
        },
        filing=filing,
        notes={"receiverMessage": receiver_message, "senderNote": sender_note},
        external_id_field="externalTransactionId",
        expected={},
    )


def deliver_notification(
    access: Access, *, reference_id: str, message: str, language: str | None
) -> Operation[None]:
    """RequesttoPayDeliveryNotification: send the payer one more message after a successful
    payment."""
    text = check_note(message, field="message", max_length=160)
    headers = {"notificationMessage": text, "Content-Type": "application/json"}
    if language is not None:
        headers["Language"] = check_header(language, field="language")
    reference_id = check_reference_id(reference_id)
    path = f"/collection/v1_0/requesttopay/{reference_id}/deliverynotification"
    request = Request(
        "RequesttoPayDeliveryNotification",
        "POST",
        path,
        headers,
        encode({"notificationMessage": text}),
        reference_id,
    )
    yield from ask(access, request, repeat=False)


def approved_pre_approvals(
    access: Access, forms: Forms, *, payer: PartyLike
) -> Operation[tuple[PreApprovalDetails, ...]]:
    """GetApprovedPreApprovals: the pre-approvals that a payer has given us."""
    party = forms.party(payer, field="payer")
    path = (
        f"/collection/v1_0/preapprovals/{party.path_id_type('preapprovals')}"
        f"/{quote(party.id, safe='@')}"
    )
    request = Request("GetApprovedPreApprovals", "GET", path)
    body = yield from ask_json(access, request, (list, dict))
    if isinstance(body, dict):  # one published client wraps the list; take the first list inside
        body = next((value for value in body.values() if isinstance(value, list)), [])
    return tuple(PreApprovalDetails.read(item) for item in body if isinstance(item, dict))


def whole_seconds(value: int, *, field: str) -> int:
    """Refuse a validity that is not a whole, positive number of seconds."""
    if type(value) is not int or value <= 0:
        raise InvalidInput("A whole number of seconds above zero is wanted.", field=field)
    return value
