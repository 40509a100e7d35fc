"""Every test identifier that MTN publishes for its sandbox, one by one."""

from __future__ import annotations

import json
from typing import Any

import pytest

from momokit.emulator.scenarios import PUBLISHED

from .caller import CASH_TRANSFER, PAYMENT, PREAPPROVAL, REFERENCE, Caller

_MATRIX = REFERENCE / "samples" / "sandbox-test-matrix.json"
_ROWS: list[dict[str, Any]] = json.loads(_MATRIX.read_text())["rows"] if _MATRIX.exists() else []
_needs_matrix = pytest.mark.skipif(not _ROWS, reason="MTN's test matrix is not beside the project")

_CONSENT_ERRORS = {
    "ConsentRejected": "access_denied",
    "ConsentPending": "authorization_pending",
    "ConsentExpired": "expired_token",
    "AlreadyUsed": "invalid_grant",
}
# What a scenario's name means where the matrix gives no outcome (refunds, cash transfers).
_BY_NAME = {
    "TransactionNotFound": "TRANSACTION_NOT_FOUND",
    "NotFound": "PAYEE_NOT_FOUND",
    "Failed": "INTERNAL_PROCESSING_ERROR",
    "Rejected": "APPROVAL_REJECTED",
    "Expired": "EXPIRED",
    "PayeeNotFound": "PAYEE_NOT_FOUND",
    "PayeeNotAllowedToReceive": "PAYEE_NOT_ALLOWED_TO_RECEIVE",
    "NotAllowed": "NOT_ALLOWED",
    "NotAllowedTargetEnvironment": "NOT_ALLOWED_TARGET_ENVIRONMENT",
    "InvalidCallbackUrlHost": "INVALID_CALLBACK_URL_HOST",
    "InvalidCurrency": "INVALID_CURRENCY",
    "InternalProcessingError": "INTERNAL_PROCESSING_ERROR",
    "ServiceUnavailable": "SERVICE_UNAVAILABLE",
    "CouldNotPerformTransaction": "COULD_NOT_PERFORM_TRANSACTION",
}


def _id(row: dict[str, Any]) -> str:
    return f"{row['operation'].split(' ')[0]}-{row['scenario']}-{row['value']}"


def test_table_is_complete() -> None:
    """Our own table has as many entries as MTN publishes, wherever the test runs."""
    counted = {family: len(rows) for family, rows in PUBLISHED.items()}

    assert counted == {
        "requesttopay": 15,
        "requesttowithdraw": 14,
        "deposit": 14,
        "transfer": 15,
        "preapproval": 12,
        "preapprovals": 1,
        "active": 18,
        "refund": 13,
        "cashtransfer": 13,
        "payment": 7,
        "consent": 13,
    }
    assert sum(counted.values()) == 135


@_needs_matrix
def test_matrix_has_no_more_than_our_table() -> None:
    """The matrix beside the project has the 135 rows that this file goes through."""
    assert len(_ROWS) == 135


def _expect_money(caller: Caller, row: dict[str, Any], *, path: str, side: str) -> None:
    reference, reply = caller.create(path, caller.body(side, row["value"]))
    status_path = path.replace("v2_0", "v1_0")
    first = caller.status(reference, status_path)
    expected = row["expect"]

    assert reply.status == expected["create"]
    if row["scenario"] == "Ongoing":
        assert first["status"] == "PENDING"
        caller.emulator.clock.advance(seconds=60)
        assert caller.status(reference, status_path)["status"] == "PENDING"
    elif row["scenario"] == "Delayed":
        assert first["status"] == "CREATED"
        caller.emulator.clock.advance(seconds=10)
        assert caller.status(reference, status_path)["status"] == "PENDING"
        caller.emulator.clock.advance(seconds=20)
        assert caller.status(reference, status_path)["status"] == "SUCCESSFUL"
    else:
        assert first["status"] == expected["final_status"]
        assert first["reason"] == expected["reason"].partition(" ")[0]
        assert caller.emulator.money_moved(reference).times == 0


def _expect_preapproval(caller: Caller, row: dict[str, Any]) -> None:
    expected = row["expect"]
    if row["scenario"] == "GetApprovedNoneExisting":
        listed = caller.call(f"GET /collection/v1_0/preapprovals/msisdn/{row['value']}")
        assert (listed.status, listed.json()) == (expected["http"], [])
        return
    body = {**PREAPPROVAL, "payer": {"partyIdType": "MSISDN", "partyId": row["value"]}}
    reference, reply = caller.create(
        "/collection/v2_0/preapproval", body, X_Callback_Url="http://127.0.0.1/cb"
    )
    assert reply.status == expected["create"]
    answer = caller.status(reference, "/collection/v2_0/preapproval")
    if "callback_status" in expected:
        (callback,) = caller.callbacks()
        assert json.loads(callback.body)["status"] == expected["callback_status"]
        assert answer["status"] == "CREATED"
    else:
        assert answer["status"] == expected["final_status"]
        assert answer.get("reason") == expected["reason"]


def _expect_active(caller: Caller, row: dict[str, Any]) -> None:
    path = f"/remittance/v1_0/accountholder/{row['id_type']}/{row['value']}/active"
    reply = caller.call(f"GET {path}")
    expected = row["expect"]

    assert reply.status == expected["http"]
    if "code" in expected:
        assert reply.json()["code"] == expected["code"]
    else:
        assert reply.json() == expected["body"]


def _expect_by_external_id(caller: Caller, row: dict[str, Any]) -> None:
    if row["operation"] == "CashTransfer":
        path, body = "/remittance/v2_0/cashtransfer", {**CASH_TRANSFER, "externalId": row["value"]}
    else:
        original, _ = caller.pay()
        path = "/disbursement/v1_0/refund"
        body = {
            "amount": "10",
            "currency": "EUR",
            "externalId": row["value"],
            "referenceIdToRefund": original,
        }
    reference, reply = caller.create(path, body)
    answer = caller.status(reference, path)

    assert reply.status == 202
    if row["scenario"] in ("Ongoing", "Delayed"):
        assert answer["status"] in ("PENDING", "CREATED")
        caller.emulator.clock.advance(seconds=30)
        final = {"Ongoing": "PENDING", "Delayed": "SUCCESSFUL"}[row["scenario"]]
        assert caller.status(reference, path)["status"] == final
    else:
        assert answer["status"] == "FAILED"
        assert answer["reason"] == _BY_NAME[row["scenario"]]


def _expect_payment(caller: Caller, row: dict[str, Any]) -> None:
    body = {**PAYMENT, "money": {"amount": row["value"], "currency": "EUR"}}
    reference, reply = caller.create("/collection/v2_0/payment", body)
    first = caller.status(reference, "/collection/v2_0/payment")
    caller.emulator.clock.advance(seconds=60)
    later = caller.status(reference, "/collection/v2_0/payment")

    assert reply.status == 202
    assert (first["status"], later["status"]) == {
        "Success": ("SUCCESSFUL", "SUCCESSFUL"),
        "Failed": ("FAILED", "FAILED"),
        "PendingSuccess": ("PENDING", "SUCCESSFUL"),
        "PendingFailed": ("PENDING", "FAILED"),
        "PendingPending": ("PENDING", "PENDING"),
        "TransfertypeUnknown": ("FAILED", "FAILED"),
    }[row["scenario"]]


def _expect_consent(caller: Caller, row: dict[str, Any]) -> None:
    scenario = row["scenario"]
    asked = caller.call(
        "POST /collection/v1_0/bc-authorize",
        form={
            "login_hint": f"ID:{row['value']}/MSISDN",
            "scope": "profile",
            "access_type": "offline",
        },
    )
    if scenario == "AccountHolderNotFound":
        assert (asked.status, asked.json()) == (400, {"error": "unknown_user_id"})
        return
    grant = {
        "grant_type": "urn:openid:params:grant-type:ciba",
        "auth_req_id": asked.json()["auth_req_id"],
    }
    path = "POST /collection/oauth2/token/"
    token = caller.call(path, form=grant, Authorization=caller.basic())
    if scenario in _CONSENT_ERRORS or scenario.startswith("Financial"):
        assert token.status == 400
        assert token.json()["error"] == _CONSENT_ERRORS.get(scenario, "access_denied")
        return
    assert token.status == 200
    refresh = {"grant_type": "refresh_token", "refresh_token": token.json()["refresh_token"]}
    info = caller.call(
        "GET /collection/oauth2/v1_0/userinfo",
        Authorization=f"Bearer {token.json()['access_token']}",
    )
    refreshed = caller.call(path, form=refresh, Authorization=caller.basic())
    assert (info.status, refreshed.status) == {
        "ExpiredRefreshToken": (200, 400),
        "Revoked": (401, 200),
        "DeletedScope": (403, 200),
    }[scenario]


@_needs_matrix
@pytest.mark.parametrize("row", _ROWS, ids=_id)
def test_row(caller: Caller, row: dict[str, Any]) -> None:
    """One row of MTN's published table behaves as published, or as our settings have it."""
    operation = row["operation"]
    if operation == "RequestToPay":
        _expect_money(caller, row, path="/collection/v1_0/requesttopay", side="payer")
    elif operation.startswith("RequestToWithdraw"):
        _expect_money(caller, row, path="/collection/v1_0/requesttowithdraw", side="payer")
        _expect_money(caller, row, path="/collection/v2_0/requesttowithdraw", side="payer")
    elif operation.startswith("Deposit"):
        _expect_money(caller, row, path="/disbursement/v1_0/deposit", side="payee")
        _expect_money(caller, row, path="/disbursement/v2_0/deposit", side="payee")
    elif operation.startswith("Transfer"):
        _expect_money(caller, row, path="/disbursement/v1_0/transfer", side="payee")
        _expect_money(caller, row, path="/remittance/v1_0/transfer", side="payee")
    elif operation == "PreApproval":
        _expect_preapproval(caller, row)
    elif operation == "AccountHolderActive":
        _expect_active(caller, row)
    elif operation.startswith(("Refund", "CashTransfer")):
        _expect_by_external_id(caller, row)
    elif operation.startswith("Payment"):
        _expect_payment(caller, row)
    else:
        assert operation.startswith("Oauth2 consent")
        _expect_consent(caller, row)
