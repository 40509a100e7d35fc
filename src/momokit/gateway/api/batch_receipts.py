"""The receipts of batches, as pages to print."""

from __future__ import annotations

from litestar import Response, get
from litestar.params import FromPath

from momokit.gateway.api.batch_access import EITHER, TAGS, Asked, visible_batch
from momokit.gateway.api.batch_files import Language
from momokit.gateway.api.batch_views import receipt_of_batch, receipt_of_row
from momokit.gateway.api.callers import ADMIN, need
from momokit.gateway.api.edge import caller_of, edge_of
from momokit.gateway.api.payments import Reveal
from momokit.gateway.api.problems import Problem, problems
from momokit.gateway.store.batch_history import list_approvals
from momokit.gateway.store.batch_rows import all_rows, find_row
from momokit.gateway.store.batch_running import progress_of
from momokit.gateway.store.database import Transaction


@get(
    "/v1/batches/{batch_id:str}/receipts",
    opt={"scopes": EITHER},
    tags=TAGS,
    operation_id="get_batch_receipts",
    summary="Print the receipt of a batch",
    media_type="text/html",
    responses=problems(404),
)
async def get_receipts(
    request: Asked, batch_id: FromPath[str], language: Language = "en", reveal: Reveal = False
) -> Response[str]:
    """Give a page to print: what was paid in all, and to whom."""
    edge, caller = edge_of(request), caller_of(request)
    if reveal:
        need(caller, {ADMIN})
    batch = await visible_batch(edge, caller, batch_id)
    pages = edge.receipts
    if pages is None:
        raise Problem("not_ready", "This process prints no receipts.")
    account = edge.book.account(batch.account_id)

    def write(transaction: Transaction) -> str:
        receipt = receipt_of_batch(
            batch, account=account, approvals=list_approvals(transaction, batch_id),
            progress=progress_of(transaction, batch_id),
        )  # fmt: skip
        rows = (
            receipt_of_row(one, currency=batch.currency, reveal=reveal)
            for one in all_rows(transaction, batch_id)
            if one.payment is not None
        )
        return "".join(pages.of_batch(receipt, rows=rows, language=language))

    return Response(await edge.store.read(write), media_type="text/html")


@get(
    "/v1/batches/{batch_id:str}/receipts/{number:int}",
    opt={"scopes": EITHER},
    tags=TAGS,
    operation_id="get_batch_row_receipt",
    summary="Print the receipt of one row",
    media_type="text/html",
    responses=problems(404),
)
async def get_row_receipt(
    request: Asked,
    batch_id: FromPath[str],
    number: FromPath[int],
    language: Language = "en",
    reveal: Reveal = False,
) -> Response[str]:
    """Give a page to print for one payee."""
    edge, caller = edge_of(request), caller_of(request)
    if reveal:
        need(caller, {ADMIN})
    batch = await visible_batch(edge, caller, batch_id)
    pages = edge.receipts
    if pages is None:
        raise Problem("not_ready", "This process prints no receipts.")
    account = edge.book.account(batch.account_id)

    def write(transaction: Transaction) -> str | None:
        both = find_row(transaction, batch_id, number)
        if both is None or both.payment is None:
            return None
        receipt = receipt_of_batch(
            batch, account=account, approvals=list_approvals(transaction, batch_id),
            progress=progress_of(transaction, batch_id),
        )  # fmt: skip
        row = receipt_of_row(both, currency=batch.currency, reveal=reveal)
        return pages.of_row(row, batch=receipt, language=language)

    page = await edge.store.read(write)
    if page is None:
        raise Problem("not_found", "That row has no payment.")
    return Response(page, media_type="text/html")


ROUTES = [get_receipts, get_row_receipt]
