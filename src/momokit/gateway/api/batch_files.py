"""The files of batches: one comes in, and reports, results, receipts and templates go out."""

from __future__ import annotations

import hashlib
import tempfile
from collections.abc import AsyncIterator, Callable, Iterator
from dataclasses import dataclass
from io import BytesIO
from typing import IO, Annotated, Any, BinaryIO, Literal, TypeAlias, cast

from litestar import Response, get, post
from litestar.datastructures import UploadFile
from litestar.openapi.spec import (
    OpenAPIMediaType,
    OpenAPIResponse,
    Operation,
    RequestBody,
    Schema,
)
from litestar.openapi.spec.enums import OpenAPIType
from litestar.params import FromPath, FromQuery, QueryParameter
from litestar.response import Stream

from momokit.gateway.api.batch_access import (
    EITHER,
    MAKERS,
    READERS,
    TAGS,
    Asked,
    actor_of,
    shown,
    told_as_problems,
    visible_batch,
)
from momokit.gateway.api.batch_views import BatchView
from momokit.gateway.api.bodies import Strict
from momokit.gateway.api.edge import caller_of, edge_of
from momokit.gateway.api.payments import Key
from momokit.gateway.api.placing import account_for, claim_of
from momokit.gateway.api.problems import Problem, problems
from momokit.gateway.core.batch_file import Column, Role
from momokit.gateway.core.batch_findings import Finding
from momokit.gateway.core.cells import unpack_cells
from momokit.gateway.sheets.batch_sheets import (
    ReportRow,
    ResultRow,
    write_report,
    write_results,
    write_template,
)
from momokit.gateway.sheets.limits import DEFAULT_LIMITS
from momokit.gateway.sheets.refusal import SheetRefused
from momokit.gateway.sheets.writing import CONTENT_TYPES
from momokit.gateway.steps.batch_intake import Upload, take_in
from momokit.gateway.store.batch_rows import RowAndPayment, all_rows
from momokit.gateway.store.batches import Batch
from momokit.gateway.store.database import Transaction
from momokit.gateway.store.deliveries import moment

FORM_EXTRA_BYTES = 64 * 1024
KEPT_IN_MEMORY_BYTES = 1024 * 1024
CHUNK_BYTES = 64 * 1024
_TABLES = tuple(CONTENT_TYPES.values())

Format: TypeAlias = Annotated[
    Literal["csv", "xlsx"], QueryParameter(name="format", description="How the table is written.")
]
Language: TypeAlias = Annotated[
    Literal["en", "fr"], QueryParameter(description="The language of what is said in it.")
]
FileName: TypeAlias = Annotated[
    str | None, QueryParameter(min_length=1, max_length=200, description="The file's name.")
]
Label: TypeAlias = Annotated[
    str | None, QueryParameter(max_length=100, description="What people will know the batch by.")
]
Period: TypeAlias = Annotated[
    str | None,
    QueryParameter(
        pattern="^[A-Za-z0-9][A-Za-z0-9 ._/-]{0,39}$",
        description="What is paid for, 2026-11 say: a payee is not to be paid twice for it.",
    ),
]
Currency: TypeAlias = Annotated[str | None, QueryParameter(pattern="^[A-Z]{3}$")]
Rate: TypeAlias = Annotated[float | None, QueryParameter(gt=0, le=1000)]


class UploadFacts(Strict, frozen=True, kw_only=True):
    """What makes two uploads the same request."""

    digest: str
    said: dict[str, Any]


@dataclass
class UploadOperation(Operation):
    """Says in the document that the body is a file, as it is or in a form."""

    def __post_init__(self) -> None:
        """Describe the body."""
        file = Schema(type=OpenAPIType.STRING, content_media_type="application/octet-stream")
        form = Schema(type=OpenAPIType.OBJECT, properties={"file": file}, required=["file"])
        names = ("application/octet-stream", *_TABLES)
        content = {name.partition(";")[0]: OpenAPIMediaType(schema=file) for name in names}
        content["multipart/form-data"] = OpenAPIMediaType(schema=form)
        self.request_body = RequestBody(content=content, required=True)


@dataclass
class FileOperation(Operation):
    """Says in the document that the answer is a table, in either form."""

    def __post_init__(self) -> None:
        """Describe the answer."""
        file = Schema(type=OpenAPIType.STRING, content_media_type="application/octet-stream")
        content = {name.partition(";")[0]: OpenAPIMediaType(schema=file) for name in _TABLES}
        answers = self.responses or {}
        answers["200"] = OpenAPIResponse(description="The file.", content=content)
        self.responses = answers


@post(
    "/v1/batches",
    status_code=201,
    opt={"scopes": MAKERS},
    tags=TAGS,
    operation_id="create_batch",
    operation_class=UploadOperation,
    summary="Upload a file of payments",
    responses=problems(404, 409, 422),
    request_max_body_size=DEFAULT_LIMITS.max_bytes + FORM_EXTRA_BYTES,
)
async def create_batch(
    request: Asked,
    filename: FileName = None,
    account: FromQuery[str | None] = None,
    currency: Currency = None,
    period: Period = None,
    label: Label = None,
    check_holders: FromQuery[bool | None] = None,
    rows_per_second: Rate = None,
    idempotency_key: Key = None,
) -> Response[BatchView]:
    """Take a CSV or XLSX file in. Its rows are checked, and nothing is paid before another person
    has approved them."""
    edge, caller = edge_of(request), caller_of(request)
    with tempfile.SpooledTemporaryFile(max_size=KEPT_IN_MEMORY_BYTES) as file:
        digest, sent_name = await _receive(request, file)
        upload = Upload(
            file_name=(filename or sent_name or "payments")[:200],
            digest=digest,
            label=label or "",
            account=account_for(edge, caller, account),
            currency=currency,
            period=period,
            check_holders=check_holders,
            rows_per_second=rows_per_second,
        )
        said = {name: getattr(upload, name) for name in upload.__slots__ if name != "digest"}
        facts = UploadFacts(digest=digest, said=said)
        claim = claim_of(caller, path=request.url.path, key=idempotency_key, body=facts)
        with told_as_problems():
            try:
                taken = await take_in(
                    cast(BinaryIO, file), upload, store=edge.store, book=edge.book,
                    actor=actor_of(caller), idempotency=claim,
                )  # fmt: skip
            except SheetRefused as refused:
                raise _unreadable(refused) from None
    headers = {"Location": f"/v1/batches/{taken.batch.id}"}
    if taken.replayed:
        headers["Idempotency-Replayed"] = "true"
    return Response(await shown(edge, taken.batch), status_code=201, headers=headers)


@get(
    "/v1/batches/template",
    opt={"scopes": READERS},
    tags=TAGS,
    operation_id="get_batch_template",
    operation_class=FileOperation,
    summary="Download an empty file to fill in",
    responses=problems(404),
)
async def get_template(
    request: Asked,
    sheet_format: Format = "xlsx",
    market: FromQuery[str | None] = None,
    language: Language = "en",
) -> Stream:
    """Give a file with the right columns and an example row of the market."""
    edge, caller = edge_of(request), caller_of(request)
    if market is None:
        account_id = account_for(edge, caller, None)
        market = edge.book.account(account_id).market

    file = BytesIO()
    write_template(file, sheet_format=sheet_format, market=market, language=language)
    return _sent(file, name=f"payments-{language}", sheet_format=sheet_format)


@get(
    "/v1/batches/{batch_id:str}/report",
    opt={"scopes": EITHER},
    tags=TAGS,
    operation_id="get_batch_report",
    operation_class=FileOperation,
    summary="Download what was found in each row",
    responses=problems(404),
)
async def get_report(
    request: Asked,
    batch_id: FromPath[str],
    sheet_format: Format = "xlsx",
    language: Language = "en",
) -> Stream:
    """Give the file back as it came, with what was found in each row."""
    edge, caller = edge_of(request), caller_of(request)
    batch = await visible_batch(edge, caller, batch_id)

    def write(out: BinaryIO, transaction: Transaction) -> None:
        rows = (_report_row(one) for one in all_rows(transaction, batch_id))
        write_report(
            out, sheet_format=sheet_format, columns=_columns(batch), rows=rows, language=language
        )

    return await file_of_rows(request, write, name=f"report-{batch_id}", sheet_format=sheet_format)


@get(
    "/v1/batches/{batch_id:str}/results",
    opt={"scopes": EITHER},
    tags=TAGS,
    operation_id="get_batch_results",
    operation_class=FileOperation,
    summary="Download what became of each row",
    responses=problems(404),
)
async def get_results(
    request: Asked,
    batch_id: FromPath[str],
    sheet_format: Format = "xlsx",
    language: Language = "en",
) -> Stream:
    """Give the file back as it came, with status, MTN's number, reason and time of each row."""
    edge, caller = edge_of(request), caller_of(request)
    batch = await visible_batch(edge, caller, batch_id)

    def write(out: BinaryIO, transaction: Transaction) -> None:
        rows = (_result_row(one) for one in all_rows(transaction, batch_id))
        write_results(
            out, sheet_format=sheet_format, columns=_columns(batch), rows=rows, language=language
        )

    name = f"results-{batch_id}"
    return await file_of_rows(request, write, name=name, sheet_format=sheet_format)


async def _receive(request: Asked, file: IO[bytes]) -> tuple[str, str | None]:
    """Put the file that came into a temporary one; give its digest and the name it came with."""
    digest = hashlib.sha256()
    name: str | None = None
    chunks: AsyncIterator[bytes] = request.stream()
    if request.content_type[0] == "multipart/form-data":
        form = await request.form()
        sent = next((one for one in form.values() if isinstance(one, UploadFile)), None)
        if sent is None:
            raise Problem("invalid_request", "The form holds no file.", field="file")
        name, chunks = sent.filename, _chunks(sent)
    async for chunk in chunks:
        digest.update(chunk)
        file.write(chunk)
    if not file.tell():
        raise Problem("invalid_request", "The file is empty.", field="file")
    file.seek(0)
    return digest.hexdigest(), name


async def _chunks(sent: UploadFile) -> AsyncIterator[bytes]:
    while chunk := await sent.read(CHUNK_BYTES):
        yield chunk


def _unreadable(refused: SheetRefused) -> Problem:
    place = f" (row {refused.row})" if refused.row is not None else ""
    return Problem(
        "file_refused", f"{refused.message}{place}", field="file", hint=refused.hint or None
    )


async def file_of_rows(
    request: Asked,
    write: Callable[[BinaryIO, Transaction], None],
    *,
    name: str,
    sheet_format: Literal["csv", "xlsx"],
) -> Stream:
    """Write a file of all rows as they are at one moment, off the event loop, and send it."""
    file: Any = tempfile.TemporaryFile()  # noqa: SIM115 - closed when it has been sent
    try:
        await edge_of(request).store.read(lambda t: write(file, t))
    except BaseException:
        file.close()
        raise
    return _sent(file, name=name, sheet_format=sheet_format)


def _sent(file: IO[bytes], *, name: str, sheet_format: Literal["csv", "xlsx"]) -> Stream:
    file.seek(0)

    def chunks() -> Iterator[bytes]:
        with file:
            while chunk := file.read(CHUNK_BYTES):
                yield chunk

    return Stream(
        chunks,
        media_type=CONTENT_TYPES[sheet_format].partition(";")[0],
        headers={"Content-Disposition": f'attachment; filename="{name}.{sheet_format}"'},
    )


def _columns(batch: Batch) -> list[Column]:
    return [
        Column(index=index, title=title, role=Role(role))
        for index, title, role in batch.layout.columns
    ]


def _report_row(both: RowAndPayment) -> ReportRow:
    return ReportRow(
        cells=unpack_cells(both.row.personal.cells),
        findings=tuple(Finding.load(one) for one in both.row.findings),
        is_excluded=both.row.excluded,
    )


def _result_row(both: RowAndPayment) -> ResultRow:
    payment = both.payment
    cells = unpack_cells(both.row.personal.cells)
    if payment is None:
        return ResultRow(cells=cells, state="excluded" if both.row.excluded else "")
    return ResultRow(
        cells=cells,
        state="ready" if payment.is_held else payment.state,
        payment_id=payment.id,
        financial_transaction_id=payment.financial_transaction_id,
        reason_code=payment.reason_code,
        at=moment(payment.final_at) if payment.final_at is not None else None,
    )


ROUTES = [create_batch, get_template, get_report, get_results]
