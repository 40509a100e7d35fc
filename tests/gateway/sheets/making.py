"""Files for the tests of sheets: workbooks made part by part, so that they can be wrong."""

from __future__ import annotations

import io
import zipfile
from collections.abc import Mapping, Sequence
from decimal import Decimal

from momokit.gateway.core.batch_rows import Rules
from momokit.gateway.sheets.reading import PaymentTable, read_table
from momokit.gateway.sheets.refusal import SheetRefused
from momokit.market import market

UGANDA = Rules(market=market("uganda"), currency="UGX")
GHANA = Rules(market=market("ghana"), currency="GHS")
IVORY_COAST = Rules(market=market("ivory-coast"), currency="XOF")
HEADER = "phone,name,amount\n"

_MAIN = "http://schemas.openxmlformats.org/spreadsheetml/2006/main"
_REL = "http://schemas.openxmlformats.org/officeDocument/2006/relationships"
_HIDDEN = ' state="hidden"'
_PKG = "http://schemas.openxmlformats.org/package/2006/relationships"


def cell(reference: str, text: str, *, formula: str = "", kind: str = "str") -> str:
    """One cell of a sheet's XML; `kind` is XLSX's own: "str" for text, "n" for a number."""
    made = f"<f>{formula}</f>" if formula else ""
    return f'<c r="{reference}" t="{kind}">{made}<v>{text}</v></c>'


def sheet_of(*rows: Sequence[str]) -> str:
    """A sheet's XML with these rows of cells."""
    inner = "".join(f"<row>{''.join(cells)}</row>" for cells in rows)
    return f'<worksheet xmlns="{_MAIN}"><sheetData>{inner}</sheetData></worksheet>'


def payments(*rows: tuple[str, str]) -> str:
    """A sheet of phones and amounts, texts all."""
    lines = [[cell("A1", "phone"), cell("B1", "amount")]]
    for number, (phone, amount) in enumerate(rows, start=2):
        lines.append([cell(f"A{number}", phone), cell(f"B{number}", amount)])
    return sheet_of(*lines)


def package(target: str) -> bytes:
    """The part that says which part is the workbook."""
    link = f'<Relationship Id="rId1" Type="{_REL}/officeDocument" Target="{target}"/>'
    return f'<Relationships xmlns="{_PKG}">{link}</Relationships>'.encode()


def workbook(
    sheets: Mapping[str, str] | None = None,
    *,
    more: Mapping[str, bytes] | None = None,
    hidden: str = "",
    compression: int = zipfile.ZIP_DEFLATED,
) -> bytes:
    """An XLSX file of these sheets' XML; `more` adds parts or replaces them."""
    named = sheets if sheets is not None else {"Pay": payments(("0772123456", "1500"))}
    entries = "".join(
        f'<sheet name="{name}" sheetId="{n}" r:id="rId{n}"{_HIDDEN if name == hidden else ""}/>'
        for n, name in enumerate(named, start=1)
    )
    links = "".join(
        f'<Relationship Id="rId{n}" Type="{_REL}/worksheet" Target="worksheets/sheet{n}.xml"/>'
        for n in range(1, len(named) + 1)
    )
    parts = {
        "_rels/.rels": package("xl/workbook.xml"),
        "xl/workbook.xml": (
            f'<workbook xmlns="{_MAIN}" xmlns:r="{_REL}"><sheets>{entries}</sheets></workbook>'
        ).encode(),
        "xl/_rels/workbook.xml.rels": (
            f'<Relationships xmlns="{_PKG}">{links}</Relationships>'
        ).encode(),
    }
    for n, xml in enumerate(named.values(), start=1):
        parts[f"xl/worksheets/sheet{n}.xml"] = xml.encode()
    parts |= dict(more or {})
    made = io.BytesIO()
    with zipfile.ZipFile(made, "w", compression) as archive:
        for name, content in parts.items():
            archive.writestr(name, content)
    return made.getvalue()


def texts(table: PaymentTable) -> list[tuple[int, list[str]]]:
    """Row numbers and texts of a table."""
    return [(row.number, [one.text for one in row.cells]) for row in table.rows]


def read(source: bytes) -> list[tuple[int, list[str]]]:
    """Read a file of payments to its end."""
    return texts(read_table(source))


def refusal_of(source: bytes) -> str:
    """Read a file to its end; give the code of its refusal, "" when it was read."""
    try:
        read(source)
    except SheetRefused as refused:
        return refused.code
    return ""


def plain(amount: Decimal | None) -> str:
    """An amount as it is on the wire; "" for none."""
    return "" if amount is None else format(amount, "f")
