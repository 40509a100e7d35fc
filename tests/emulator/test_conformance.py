"""The emulator held against MTN's own OpenAPI documents, where they lie beside the project."""

from __future__ import annotations

from typing import Any

import pytest
import yaml

from momokit.emulator.routes import OPERATIONS, find_route

from .caller import (
    CASH_TRANSFER,
    INVOICE,
    ORDINARY,
    PAYMENT,
    PREAPPROVAL,
    REFERENCE,
    Caller,
)

_DOCUMENTS = REFERENCE / "openapi-2024-01"
_FILES = {
    "collection": "collection.yaml",
    "disbursement": "disbursement.yaml",
    "remittance": "remittance.yaml",
    "": "sandbox-provisioning-api.yaml",
}
pytestmark = pytest.mark.skipif(
    not _DOCUMENTS.exists(), reason="MTN's OpenAPI documents are not beside the project"
)
# Where the wire is known to differ from the documents, by observation.
_WIRE_FIELDS = {
    # The sandbox adds these to the documented names of a holder.
    "GetBasicUserinfo": {"sub", "name", "updated_at"},
}
_WIRE_STATUSES = {
    "CancelInvoice": {202},
    "CreateInvoice": set(),
    "GetUserInfoWithConsent": {401},
    "bc-authorize": {400, 500},
    "CreateOauth2Token": {400, 401},
}


def _documents() -> dict[str, Any]:
    if not _DOCUMENTS.exists():
        return {}
    return {
        product: yaml.safe_load((_DOCUMENTS / name).read_text()) for product, name in _FILES.items()
    }


_PUBLISHED = _documents()
_OPERATIONS = [
    (product, path, method, operation)
    for product, document in _PUBLISHED.items()
    for path, methods in document["paths"].items()
    for method, operation in methods.items()
    if method != "parameters"
]


def test_every_documented_operation_is_emulated() -> None:
    """Each documented path and method is found under the document's operation id."""
    assert len(_OPERATIONS) == 52
    for product, path, method, operation in _OPERATIONS:
        prefix = f"/{product}" if product else ""
        sample = prefix + path.replace("{", "").replace("}", "")
        found = find_route(method.upper(), sample)
        assert found is not None, sample
        assert found.operation.id == operation["operationId"]


def test_nothing_else_is_emulated() -> None:
    """What the documents do not have is known: two later operations and the old paths."""
    documented = {operation["operationId"] for _, _, _, operation in _OPERATIONS}

    assert {operation.id for operation in OPERATIONS} - documented == {
        "GetApprovedPreApprovals",
        "CancelPreApproval",
    }


def _resolve(product: str, schema: Any) -> Any:
    while isinstance(schema, dict) and "$ref" in schema:
        schema = _PUBLISHED[product]["components"]["schemas"][schema["$ref"].rpartition("/")[2]]
    return schema


def _documented_fields(product: str, operation: dict[str, Any], status: str) -> set[str]:
    content = operation["responses"][status].get("content") or {}
    schema = _resolve(product, (content.get("application/json") or {}).get("schema"))
    return set((schema or {}).get("properties") or {})


_CREATIONS = {
    "RequesttoPay": ("collection", "/v1_0/requesttopay", "payer"),
    "RequestToWithdraw-V1": ("collection", "/v1_0/requesttowithdraw", "payer"),
    "Transfer": ("disbursement", "/v1_0/transfer", "payee"),
    "Deposit-V1": ("disbursement", "/v1_0/deposit", "payee"),
    "CreateInvoice": ("collection", "/v2_0/invoice", INVOICE),
    "PreApproval": ("collection", "/v2_0/preapproval", PREAPPROVAL),
    "CreatePayments": ("collection", "/v2_0/payment", PAYMENT),
    "CashTransfer": ("remittance", "/v2_0/cashtransfer", CASH_TRANSFER),
}


@pytest.mark.parametrize("operation_id", _CREATIONS)
def test_status_answers_have_only_documented_fields(caller: Caller, operation_id: str) -> None:
    """Status answers, paid and failed, hold no field that the schema does not name."""
    product, path, body = _CREATIONS[operation_id]
    for party in (ORDINARY, "46733123451"):
        sent = caller.body(body, party) if isinstance(body, str) else _with_party(body, party)
        reference, reply = caller.create(f"/{product}{path}", sent)
        caller.emulator.clock.advance(seconds=10)
        answer = caller.status(reference, f"/{product}{path}")
        documented = next(
            _documented_fields(product, operation, "200")
            for owner, template, method, operation in _OPERATIONS
            if owner == product and method == "get" and template.startswith(path + "/")
        )
        assert str(reply.status) == "202"
        assert set(answer) <= documented


def _with_party(body: dict[str, Any], party: str) -> dict[str, Any]:
    changed = {"partyIdType": "MSISDN", "partyId": party}
    return {
        name: changed if name in ("payer", "payee", "intendedPayer") else value
        for name, value in body.items()
    }


def _send(caller: Caller, product: str, path: str, method: str) -> list[Any]:
    """Send an operation in ways that bring out its answers: good, without body, unknown id."""
    unknown = "00000000-0000-4000-8000-000000000000"
    filled = (
        path.replace("{accountHolderIdType}", "msisdn")
        .replace("{accountHolderId}", ORDINARY)
        .replace("{accountHolderMSISDN}", ORDINARY)
        .replace("{currency}", "EUR")
    )
    malformed = filled
    for name in ("{referenceId}", "{x-referenceId}", "{X-Reference-Id}"):
        filled = filled.replace(name, unknown)
        malformed = malformed.replace(name, "nonsense")
    prefix = f"/{product}" if product else ""
    key = caller.credentials.subscription_key
    more: dict[str, Any] = {} if product else {"Ocp_Apim_Subscription_Key": key}
    if "token" in path:
        more["Authorization"] = caller.basic()
    lines = [f"{method.upper()} {prefix}{each}" for each in (filled, malformed)]
    replies = [caller.call(line, **more) for line in lines]
    replies += [caller.call(line, json={}, X_Reference_Id=unknown, **more) for line in lines]
    replies += [caller.call(line, json={}, X_Reference_Id="bad", **more) for line in lines]
    return replies


@pytest.mark.parametrize(
    ("product", "path", "method", "operation"),
    _OPERATIONS,
    ids=[f"{product}-{operation['operationId']}" for product, _, _, operation in _OPERATIONS],
)
def test_statuses_and_fields_are_documented(
    caller: Caller, product: str, path: str, method: str, operation: dict[str, Any]
) -> None:
    """Whatever the operation answers has a documented status and documented fields."""
    documented = {int(status) for status in operation["responses"]}
    documented |= _WIRE_STATUSES.get(operation["operationId"], set())
    for reply in _send(caller, product, path, method):
        assert reply.status in documented
        if reply.status == 200 and reply.body:
            fields = _documented_fields(product, operation, "200")
            fields |= _WIRE_FIELDS.get(operation["operationId"], set())
            if operation["operationId"] == "ValidateAccountHolderStatus":
                fields = {"result"}  # the document describes no body
            if not product:
                fields |= {"targetEnvironment"}
            assert set(reply.json()) <= fields
        elif reply.body and reply.status >= 400:
            assert set(reply.json()) in ({"message", "code"}, {"error"})
