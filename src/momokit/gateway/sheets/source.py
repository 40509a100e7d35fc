"""What kind of file a source is, judged by its first bytes and never by its name."""

from __future__ import annotations

import io
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import BinaryIO, Literal, TypeAlias, cast

from momokit.gateway.sheets.limits import MIB, Limits
from momokit.gateway.sheets.refusal import refused

Source: TypeAlias = Path | bytes | BinaryIO
Content: TypeAlias = Literal["csv", "xlsx"]

_CHUNK = 256 * 1024
_OLE = b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1"
_ENCRYPTED = "EncryptedPackage".encode("utf-16-le")
_OTHERS = (
    (b"%PDF", "PDF"),
    (b"\x89PNG", "PNG"),
    (b"\xff\xd8\xff", "JPEG"),
    (b"GIF8", "GIF"),
    (b"\x1f\x8b", "gzip"),
    (b"Rar!", "RAR"),
    (b"7z\xbc\xaf", "7z"),
    (b"{\\rtf", "RTF"),
    (b"SQLite format 3", "SQLite"),
    (b"\x7fELF", "ELF"),
    (b"MZ\x90", "EXE"),
)
_MARKUP = ((b"<!doctype html", "HTML"), (b"<html", "HTML"), (b"<table", "HTML"), (b"<?xml", "XML"))


@contextmanager
def opened(source: Source, *, limits: Limits) -> Iterator[BinaryIO]:
    """Open a source so that one can go back in it; refuse one that is empty or too large."""
    try:
        with _opened(source, limits=limits) as stream:
            size = stream.seek(0, io.SEEK_END)
            stream.seek(0)
            if size == 0:
                raise refused("empty")
            if size > limits.max_bytes:
                raise refused("too_large", limit=limits.max_bytes // MIB)
            yield stream
    except OSError:
        raise refused("unreadable") from None


@contextmanager
def _opened(source: Source, *, limits: Limits) -> Iterator[BinaryIO]:
    if isinstance(source, bytes):
        yield io.BytesIO(source)
    elif isinstance(source, Path):
        with source.open("rb") as stream:
            yield stream
    elif source.seekable():
        source.seek(0)
        yield source
    else:
        with tempfile.SpooledTemporaryFile(max_size=4 * MIB) as spool:
            held = 0
            while chunk := source.read(_CHUNK):
                held += len(chunk)
                if held > limits.max_bytes:
                    raise refused("too_large", limit=limits.max_bytes // MIB)
                spool.write(chunk)
            yield cast("BinaryIO", spool)


def content_of(stream: BinaryIO) -> Content:
    """Tell CSV from XLSX by the first bytes; refuse everything else by its name."""
    stream.seek(0)
    head = stream.read(4096)
    stream.seek(0)
    if head.startswith(b"PK"):
        return "xlsx"
    if head.startswith(_OLE):
        # The directory of such a file may be anywhere in it; the file is not a large one.
        is_encrypted = _ENCRYPTED in stream.read()
        raise refused("encrypted" if is_encrypted else "old_excel")
    for start, kind in _OTHERS:
        if head.startswith(start):
            raise refused("other_format", kind=kind)
    text = head.lstrip(b"\xef\xbb\xbf \t\r\n").lower()
    for start, kind in _MARKUP:
        if text.startswith(start):
            raise refused("other_format", kind=kind)
    return "csv"
