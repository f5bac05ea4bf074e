"""Decompression that stops at a limit."""

from __future__ import annotations

import gzip
import zlib

import pytest
from hypothesis import given
from hypothesis import strategies as st

from flink_app.serve.compression import inflated
from flink_app.serve.problems import Problem


@given(st.lists(st.binary(max_size=300), max_size=6), st.integers(0, 900), st.data())
def test_members_of_gzip_are_read_up_to_the_limit(
    parts: list[bytes], most: int, data: st.DataObject
) -> None:
    packed, whole = b"".join(map(gzip.compress, parts)), b"".join(parts)
    if len(whole) > most:
        with pytest.raises(Problem, match="max_body_bytes"):
            inflated(packed, "gzip", most)
    else:
        assert inflated(packed, "gzip", most) == whole
    for coded in (zlib.compress(whole), zlib.compress(whole)[2:-4]):  # with a header and without
        if len(whole) <= most:
            assert inflated(coded, "deflate", most) == whole
    if parts and len(whole) <= most:
        last = len(gzip.compress(parts[-1]))
        end = data.draw(st.integers(len(packed) - last + 1, len(packed) - 1))
        with pytest.raises(Problem, match="gzip"):
            inflated(packed[:end], "gzip", most)


@given(st.binary(min_size=1, max_size=200), st.sampled_from(["gzip", "deflate"]))
def test_no_bytes_make_decompression_fail_otherwise(body: bytes, coding: str) -> None:
    try:
        assert len(inflated(body, coding, 1000)) <= 1000
    except Problem as problem:
        assert problem.status in (400, 413)


def test_very_many_members_are_read_in_time() -> None:
    packed = gzip.compress(b"") * 50_000  # a megabyte
    assert inflated(packed + gzip.compress(b"a"), "gzip", 10) == b"a"
