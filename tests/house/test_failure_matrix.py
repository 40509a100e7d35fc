"""Every row of the failure matrix that touches the gateway has a test named for it, or a reason."""

from __future__ import annotations

import ast
import re
from functools import cache

from tests.house.source import ROOT

ROWS = {
    1: "timeout or reset after the request was sent",
    2: "taken, then never final",
    3: "callback before our own acceptance is stored",
    4: "forged callback",
    5: "flood of callbacks",
    6: "duplicate callbacks",
    7: "callbacks and answers out of order",
    8: "contradicting last words",
    9: "409 when our own id is sent again",
    10: "409 on the very first send",
    11: "not known right after it was taken",
    12: "not known after a timeout",
    13: "token ends in the middle of a batch",
    14: "token endpoint down",
    15: "storm of 5xx",
    16: "5xx that is a wrong setting",
    17: "wall clock wrong or jumping",
    18: "killed anywhere",
    19: "power loss, lost fsync",
    20: "database full, read-only or locked",
    21: "duplicate external id",
    22: "double click",
    23: "same key, other body",
    24: "part of a batch, then run again",
    25: "same file uploaded twice",
    26: "float runs out in the middle of a batch",
    27: "limit reached, payee not active, check not possible",
    28: "refunded twice or too much",
    29: "answer about another payment or amount",
    30: "ids mixed up between threads",
    31: "unknown status or reason, odd types, missing fields",
    32: "huge, slow, cut or HTML answers, redirects",
    33: "no callbacks at all",
    34: "our address changed",
    35: "two workers take the same job",
    36: "backup restored to an hour ago",
    37: "merchant's endpoint down, slow or hostile",
    38: "webhook before its commit, or lost",
    39: "deployment and migration under load",
    40: "decimals in a currency that has none",
    41: "number of the wrong country or network",
}

# Row -> why nothing here can test it.
OUT_OF_SCOPE: dict[int, str] = {}

NAMED = re.compile(r"test_fm_0?(\d{1,2})_\w+")


@cache
def named_tests() -> dict[int, list[str]]:
    """Find the tests that are named for a row."""
    found: dict[int, list[str]] = {}
    for path in sorted((ROOT / "tests").rglob("test_*.py")):
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
                name = NAMED.fullmatch(node.name)
                if name is not None:
                    found.setdefault(int(name[1]), []).append(node.name)
    return found


def test_every_row_has_a_test_or_a_reason() -> None:
    """A row without either is a failure nobody has thought about."""
    assert {
        row: ROWS[row] for row in ROWS if row not in named_tests() and row not in OUT_OF_SCOPE
    } == {}


def test_no_row_has_both_and_no_test_names_a_row_that_is_not_there() -> None:
    """A reason that is no longer true goes, and so does a number that means nothing."""
    assert sorted(OUT_OF_SCOPE.keys() & named_tests().keys()) == []
    assert sorted(named_tests().keys() - ROWS.keys()) == []
    assert all(len(reason) > 20 for reason in OUT_OF_SCOPE.values())
