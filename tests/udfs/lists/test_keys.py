"""The keys that the documentation promises."""

from __future__ import annotations

import subprocess
import sys

from hypothesis import given
from hypothesis import strategies as st

from udfs.lists.keys import CHANNEL, FACTOR, ITEM, METADATA, POPULAR, TRENDING, USER, split

KINDS = USER, ITEM, POPULAR, TRENDING


def test_the_keys_are_those_of_the_contract() -> None:
    assert [kind.of("a:b") for kind in (USER, ITEM)] == ["rec:a:b", "similar:a:b"]
    assert [kind.of() for kind in (POPULAR, TRENDING)] == ["popular", "trending"]
    assert (FACTOR, METADATA, CHANNEL) == ("factor:", "item:", "rec")


@given(st.sampled_from([USER, ITEM]), st.text())
def test_a_key_is_split_where_the_name_begins(kind: object, name: str) -> None:
    assert isinstance(kind, type(USER))
    assert split(kind.of(name)) == (kind.key, name)


def test_the_client_needs_only_the_standard_library() -> None:
    program = "import sys, flink_app.client; print(*sys.modules)"
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, check=True)
    loaded = {name.split(b".")[0] for name in done.stdout.split()}
    assert not loaded & {b"numpy", b"numba", b"msgspec", b"redis", b"pyflink"}
