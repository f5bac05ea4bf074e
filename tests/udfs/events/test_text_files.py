"""Files are read alike however they are packed and encoded, or the sentence says what is wrong."""

from __future__ import annotations

import bz2
import gzip
import json
import lzma
import tarfile
from collections.abc import Callable
from encodings.aliases import aliases
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest
import zstandard
from hypothesis import given
from hypothesis import strategies as st

from udfs.errors import SourceError
from udfs.events.text_files import codec, count_lines, form_of, one_stream, open_lines

PACK: dict[str, Callable[[bytes], bytes]] = {
    "": lambda data: data,
    "gzip": gzip.compress,
    "bzip2": bz2.compress,
    "xz": lzma.compress,
    "zstd": zstandard.ZstdCompressor().compress,
}
PACKED = sorted(PACK.keys() - {""})
ENCODINGS = ("utf-8", "utf-8-sig", "utf-16", "utf-32", "cp1252")
LINES = [f'{{"user":"ü{number}","item":"naïve"}}' for number in range(9)]


def read(path: Path, encoding: str = "", **more: str) -> list[str]:
    return [line for lines in open_lines(path, encoding, **more) for line in lines]


@pytest.mark.parametrize("name", ["events.jsonl", "e.GZ", "e.bz2", "_"])
@pytest.mark.parametrize("encoding", ENCODINGS)
@pytest.mark.parametrize("streams", [1, 2, 5])
@pytest.mark.parametrize("kind", PACK)
def test_lines_are_the_same_however_they_lie(
    tmp_path: Path, kind: str, streams: int, encoding: str, name: str
) -> None:
    data = "\n".join(LINES).encode(encoding)
    size = -(-len(data) // streams)
    parts = [data[at : at + size] for at in range(0, len(data), size)]
    padding = b"\0" * 8 if kind else b""
    (tmp_path / name).write_bytes(padding.join(map(PACK[kind], parts)))
    given = encoding if encoding == "cp1252" else ""
    assert read(tmp_path / name, given) == LINES
    assert sum(count_lines(tmp_path / name, given)) == len(LINES)
    assert form_of(tmp_path / name, given).packed == kind
    assert one_stream(tmp_path / name) == (not kind or streams == 1)


@pytest.mark.parametrize("kind", PACKED)
def test_what_is_cut_off_or_damaged_is_an_error_that_names_the_stream(
    tmp_path: Path, kind: str
) -> None:
    one, path = PACK[kind](b"x\n" * 999), tmp_path / "events"
    for data, words in (
        (one[:-3], f"ends in the middle of {kind} stream 1"),
        (one + one[: len(one) // 2], f"ends in the middle of {kind} stream 2"),
        (one + b"rubbish", f"what follows {kind} stream 1|{kind} stream 2 is damaged"),
    ):
        path.write_bytes(data)
        for reader in (read, lambda path: sum(count_lines(path))):
            with pytest.raises(SourceError, match=f"events cannot be read: .*{words}"):
                reader(path)


@given(
    text=st.text(st.characters(exclude_characters="\ufeff", exclude_categories=["Cs"])),
    kind=st.sampled_from(sorted(PACK)),
)
def test_any_text_is_cut_at_line_feeds_only(
    tmp_path_factory: pytest.TempPathFactory, text: str, kind: str
) -> None:
    text = f"x{text}"  # no object of JSON
    path = tmp_path_factory.mktemp("text") / "events"
    path.write_bytes(PACK[kind](text.encode()))
    wanted = text.removesuffix("\n").split("\n")
    assert read(path) == wanted
    assert sum(count_lines(path)) == len(wanted)


def test_what_is_no_text_is_replaced_or_kept(tmp_path: Path) -> None:
    (tmp_path / "a").write_bytes(b"caf\xe9\n")
    assert read(tmp_path / "a") == ["caf\ufffd"]
    assert read(tmp_path / "a", errors="surrogateescape") == ["caf\udce9"]
    assert read(tmp_path / "a", "latin-1") == ["café"]
    (tmp_path / "b").write_bytes("x\ny".encode("utf-16")[:-1])
    assert read(tmp_path / "b", errors="surrogateescape") == ["x", "\ufffd"]


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3),
    max_leaves=6,
)


@given(
    objects=st.lists(
        st.dictionaries(st.text(), JSON, min_size=1, max_size=4), min_size=1, max_size=5
    ),
    indent=st.sampled_from([0, 1, 4, "\t"]),
    array=st.booleans(),
)
def test_json_over_several_lines_is_one_line_for_each_object(
    tmp_path_factory: pytest.TempPathFactory,
    objects: list[dict[str, object]],
    indent: int | str,
    array: bool,
) -> None:
    path = tmp_path_factory.mktemp("json") / "events.json"
    each = [json.dumps(one, indent=indent, ensure_ascii=False) for one in objects]
    path.write_text(json.dumps(objects, indent=indent) if array else "\n".join(each))
    assert form_of(path).spread
    assert [json.loads(line) for line in read(path)] == objects
    assert sum(count_lines(path)) == len(objects)


@pytest.mark.parametrize(
    "text",
    [
        '{"user":"a","item":"x"},\n{"user":"b","item":"y"},\n',
        '[\n{"user":"a","item":"x"},\n{"user":"b","item":"y"}\n]\n',
        '[{"user":"a","item":"x"},{"user":"b","item":"y"}]',
        '{"user":"a","item":\n{"user":"b","item":"y"}\n',  # a damaged line
        "user,item\na,x\n",
        "",
    ],
)
def test_other_lines_stay_as_they_are(tmp_path: Path, text: str) -> None:
    (tmp_path / "events").write_text(text)
    assert read(tmp_path / "events") == text.splitlines()


def test_what_lies_between_objects_is_not_lost(tmp_path: Path) -> None:
    (tmp_path / "events").write_text('{\n "a": 1\n} oops\n{\n "a": 2\n')
    assert read(tmp_path / "events") == ['{  "a": 1 }', "oops", '{  "a": 2 ']


def test_an_encoding_is_one_of_pythons(tmp_path: Path) -> None:
    assert codec("UTF8") == codec("") == "utf-8"
    for name in ("utf-9", "rot13", "zlib", "punycode", "\0", "no such"):
        with pytest.raises(SourceError, match=r"source\.encoding is .* no encoding of text"):
            codec(name)
    with pytest.raises(SourceError, match="absent cannot be read: No such file"):
        read(tmp_path / "absent")


TEXT_ENCODINGS = sorted(set(aliases.values()) - {"mbcs", "oem"})  # these are Windows's own


@given(st.sampled_from(TEXT_ENCODINGS), st.binary(max_size=60), st.sampled_from(list(PACK)))
def test_any_bytes_in_any_encoding_are_lines_as_counted_or_a_sentence(
    encoding: str, data: bytes, kind: str
) -> None:
    with TemporaryDirectory() as folder:
        path = Path(folder, "events")
        path.write_bytes(PACK[kind](data))
        try:
            lines = read(path, encoding)
        except SourceError as error:
            assert str(path) in str(error) or "no encoding" in str(error)
            return
        assert sum(count_lines(path, encoding)) == len(lines)


@pytest.mark.parametrize("encoding", ["utf-16", "utf-32"])
def test_an_encoding_with_a_mark_asks_for_the_other_where_there_is_none(
    tmp_path: Path, encoding: str
) -> None:
    path = tmp_path / "events"
    path.write_text("\n".join(LINES), encoding=f"{encoding}-le")
    with pytest.raises(SourceError, match=f"set it to {encoding}-le"):
        read(path, encoding)
    assert read(path, f"{encoding}-le") == LINES


@pytest.mark.parametrize("kind", PACK)
def test_a_tar_archive_is_never_read_as_text(tmp_path: Path, kind: str) -> None:
    inside, path = tmp_path / "events.jsonl", tmp_path / "events.tar"
    inside.write_text("\n".join(LINES))
    with tarfile.open(path, "w") as archive:
        archive.add(inside, "events.jsonl")
    path.write_bytes(PACK[kind](path.read_bytes()))
    for attempt in (read, form_of, lambda path: sum(count_lines(path))):
        with pytest.raises(SourceError, match="tar archive"):
            attempt(path)
