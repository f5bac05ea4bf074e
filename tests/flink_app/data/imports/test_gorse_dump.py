"""The file of `gorse-cli dump` holds the same as Gorse's exports, and a damaged one says so."""

from __future__ import annotations

import struct
from pathlib import Path

import pytest

from flink_app.data.imports import gorse_dump
from flink_app.data.imports.lines import Unusable
from udfs.errors import SourceError


def text(number: int, value: bytes) -> bytes:
    """A field of Protobuf: its number, its length, its bytes."""
    return bytes([number << 3 | 2, len(value)]) + value


def framed(*parts: int | bytes) -> bytes:
    """Numbers, and messages behind their lengths, as Gorse writes them."""
    lengths = ((part if isinstance(part, int) else len(part)) for part in parts)
    return b"".join(
        struct.pack("<q", length) + (b"" if isinstance(part, int) else part)
        for part, length in zip(parts, lengths, strict=True)
    )


AT = text(5, b"\x08\x80\xa8\xd6\xac\x06")  # 1,704,301,568 s
USER = text(1, b"bob") + text(2, b'{"country":"DE"}') + text(3, b"Bob")
ITEM = text(2, b"mug") + b"\x18\x01" + text(4, b"tea") + text(4, b"cup") + AT + text(6, b"null")
FEEDBACK = text(2, b"star") + text(3, b"bob") + text(4, b"mug") + b"\x29" + struct.pack("<d", 4.5)
DUMP = framed(-1, USER, -2, ITEM, -3, FEEDBACK, 0)


def test_it_holds_users_items_and_feedback(tmp_path: Path) -> None:
    path = tmp_path / "backup.bin"
    path.write_bytes(DUMP + b'{"Users":1}')  # Gorse writes what it has counted behind it
    assert gorse_dump.is_dump(path)
    user, item, feedback = (record.fields for record in gorse_dump.records(path))
    assert user == {"UserId": "bob", "Labels": {"country": "DE"}, "Comment": "Bob"}
    assert not isinstance(item, Unusable)
    assert (item["ItemId"], item["IsHidden"], item["Labels"]) == ("mug", True, None)
    assert item["Categories"] == ["tea", "cup"] and item["Timestamp"] == "2024-01-03T17:06:08Z"
    assert feedback == {
        "FeedbackType": "star",
        "UserId": "bob",
        "ItemId": "mug",
        "Value": 4.5,
        "Timestamp": None,
    }


def test_a_message_that_cannot_be_read_is_left_out(tmp_path: Path) -> None:
    path = tmp_path / "backup.bin"
    path.write_bytes(framed(-1, b"\xff\xff", text(1, b"a") + text(2, b"{"), USER, 0))
    first, second, third = gorse_dump.records(path)
    assert isinstance(first.fields, Unusable) and isinstance(second.fields, Unusable)
    assert third.place.endswith("backup.bin, user 3") and not isinstance(third.fields, Unusable)


@pytest.mark.parametrize("end", [4, 12, 30, len(DUMP) - 3])
def test_one_that_is_cut_off_is_an_error(end: int, tmp_path: Path) -> None:
    path = tmp_path / "backup.bin"
    path.write_bytes(DUMP[:end])
    with pytest.raises(SourceError, match=r"dump"):
        list(gorse_dump.records(path))


def test_other_files_are_none(tmp_path: Path) -> None:
    (tmp_path / "a").write_text('{"UserId":"a"}')
    assert not gorse_dump.is_dump(tmp_path / "a")
    with pytest.raises(SourceError):
        gorse_dump.is_dump(tmp_path / "none")
