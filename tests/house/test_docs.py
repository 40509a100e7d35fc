"""The documents are true: reference pages fresh, names covered, links leading somewhere."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path

import pytest

from tests.house import source

PAGES = sorted([*(source.ROOT / "docs").rglob("*.md"), *source.ROOT.glob("*.md")])
LINK = re.compile(r"\[[^\]]*\]\(([^)\s]+)\)")


def test_the_reference_pages_are_fresh() -> None:
    """docs/reference is what tools/reference.py writes from the code."""
    run = subprocess.run(
        [sys.executable, "tools/reference.py", "--check"],
        capture_output=True,
        text=True,
        check=False,
        cwd=source.ROOT,
        timeout=120,
    )

    assert run.stderr == ""
    assert run.returncode == 0


@pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(source.ROOT)))
def test_every_link_leads_to_a_file(page: Path) -> None:
    """A link inside the project is not broken, nor is its heading missing."""
    broken = []
    for target in LINK.findall(page.read_text(encoding="utf-8")):
        if re.match(r"[a-z]+:", target):
            continue
        name, _, heading = target.partition("#")
        path = (page.parent / name) if name else page
        if not path.exists() or (heading and heading not in _headings(path)):
            broken.append(target)

    assert broken == []


def _headings(path: Path) -> set[str]:
    lines = path.read_text(encoding="utf-8").splitlines()
    titles = (line.lstrip("#").strip().lower() for line in lines if line.startswith("#"))
    return {re.sub(r"[^a-z0-9 -]", "", title).replace(" ", "-") for title in titles}


def test_the_readme_opens_with_run_and_test() -> None:
    """Who opens the README sees first how to run it and how to test it."""
    opening = source.ROOT.joinpath("README.md").read_text(encoding="utf-8")[:600]

    assert opening.index("make run") < opening.index("make test")


def test_every_verb_of_the_makefile_is_in_the_readme() -> None:
    """The verbs that matter to a newcomer are told."""
    readme = source.ROOT.joinpath("README.md").read_text(encoding="utf-8")
    missing = [
        verb
        for verb in ("setup", "run", "demo", "test", "check", "bench")
        if f"make {verb}" not in readme
    ]

    assert missing == []


def test_every_operation_of_the_catalogue_has_a_method() -> None:
    """Each of MTN's operations is named by the client's reference page."""
    page = source.ROOT.joinpath("docs/reference/client.md").read_text(encoding="utf-8")
    operations = (
        "CreateAccessToken", "CreateOauth2Token", "bc-authorize", "GetUserInfoWithConsent",
        "GetAccountBalance", "InSpecificCurrency", "ValidateAccountHolderStatus",
        "GetBasicUserinfo", "RequesttoPay", "RequesttoPayTransactionStatus",
        "RequesttoPayDeliveryNotification", "RequestToWithdraw-V1", "-V2",
        "RequestToWithdrawTransactionStatus", "CreateInvoice", "GetInvoiceStatus",
        "CancelInvoice", "PreApproval", "GetPreApprovalStatus", "GetApprovedPreApprovals",
        "CancelPreApproval", "CreatePayments", "GetPaymentStatus", "Deposit-V1", "Deposit-V2",
        "GetDepositStatus", "Refund-V1", "Refund-V2", "GetRefundStatus", "Transfer",
        "GetTransferStatus", "CashTransfer", "GetCashTransferStatus", "post-v1_0-apiuser",
        "get-v1_0-apiuser", "post-v1_0-apiuser-apikey",
    )  # fmt: skip

    assert [name for name in operations if name not in page] == []
