"""What is known of experiments as bytes: any of it, and those of version 1 for ever."""

from __future__ import annotations

import msgspec
import pytest
from hypothesis import given

from tests.udfs.experiments.test_words import said
from udfs.errors import ServiceError
from udfs.experiments.words import Word, Words, merged
from udfs.options.experiments import Experiment, Variant
from udfs.state.started import pack_started, unpack_started

ONE = Experiment(
    name="a",
    variants=[Variant(name="x"), Variant(name="y", weight=2.0, set={"rules": False})],
    share=0.5,
)
VERSION_1 = bytes.fromhex(
    "920182a161930584a46e616d65a161a876617269616e74739283a46e616d65a178a6776569676874"
    "cb3ff0000000000000a37365748083a46e616d65a179a6776569676874cb4000000000000000a373"
    "657481a572756c6573c2a57368617265cb3fe0000000000000a4676f616caf636c69636b735f7065"
    "725f7669657703a1629300c007"
)


@given(said)
def test_all_is_read_back(lines: list[Words]) -> None:
    words: Words = {}
    for line in lines:
        words = merged(words, line)
    assert unpack_started(pack_started(words)) == words


def test_version_1_is_read() -> None:
    wanted = {"a": Word(5, ONE, 3), "b": Word(ended=7)}
    assert unpack_started(VERSION_1) == wanted
    assert unpack_started(None) == {}


@pytest.mark.parametrize("data", [b"", b"x", msgspec.msgpack.encode((2, {}))])
def test_other_forms_are_refused_with_a_sentence(data: bytes) -> None:
    with pytest.raises(ServiceError, match="what is known of experiments is"):
        unpack_started(data)
