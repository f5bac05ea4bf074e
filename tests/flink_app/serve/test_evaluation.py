"""What the operator's page shows of an evaluation: the report's own sections, of a file that may be
absent, replaced, or anything else."""

from __future__ import annotations

import os
import re
from pathlib import Path
from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from flink_app.evaluate.results import Result
from flink_app.report.closer import closer_sections
from flink_app.report.page import Section
from flink_app.serve import evaluation
from flink_app.serve.evaluation import NONE, Evaluation, Told
from tests.flink_app.evaluate.test_said import looked


def result(**more: Any) -> Result:
    known: dict[str, Any] = {
        "mode": "strict", "seed": 0, "events": 1234, "seconds": 1.0, "quality": {}, "curve": [],
        "microseconds": {}, "closer": looked(),
    }  # fmt: skip
    return Result(**known | more)


def write(path: Path, *results: Result) -> Path:
    """A file as `millirec evaluate --out` writes it, in one piece."""
    new = path.with_name("new")
    new.write_bytes(msgspec.json.encode(results))
    new.replace(path)
    return path


def told(shown: Evaluation) -> Told:
    return msgspec.json.decode(shown.body(), type=Told)


def test_the_sections_are_those_of_the_report(tmp_path: Path) -> None:
    baseline = result(model="item-knn", closer=None)
    found = told(Evaluation(str(write(tmp_path / "e.json", result(), baseline))))
    assert found.text == "1,234 events"
    assert abs(found.at - 1000 * (tmp_path / "e.json").stat().st_mtime) < 1
    wanted = msgspec.json.encode(closer_sections(looked()))
    assert found.sections == msgspec.json.decode(wanted, type=list[Section])
    assert {part.figure.__class__.__name__ for part in found.sections} == {"NoneType", "Curves"}


def test_a_file_is_read_when_it_changes_and_only_then(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    reads = list[Path]()
    read = evaluation._read
    monkeypatch.setattr(evaluation, "_read", lambda p, at: (reads.append(p), read(p, at))[1])
    shown = Evaluation(str(tmp_path / "e.json"))
    assert told(shown).text == f"e.json cannot be read: No such file or directory. {NONE}"
    write(tmp_path / "e.json", result())
    assert shown.body() == shown.body() and len(reads) == 1
    write(tmp_path / "e.json", result(events=5678))
    assert told(shown).text == "5,678 events" and len(reads) == 2
    (tmp_path / "e.json").unlink()
    assert told(shown).text.startswith("e.json cannot be read")
    write(tmp_path / "e.json", result())
    assert told(shown).text == "1,234 events"


def test_without_a_file_it_says_how_to_make_one() -> None:
    found = told(Evaluation(""))
    assert (found.at, found.sections) == (0, [])
    assert "millirec evaluate" in found.text and "--evaluation evaluation.json" in found.text


def test_what_is_not_an_evaluation_is_said(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "e.json"
    shown = Evaluation(str(path))
    lacking = msgspec.to_builtins(result())
    lacking["closer"]["now"] = {}
    uneven = msgspec.to_builtins(result())
    uneven["closer"]["drift"] = {"events": [1], "recall": [], "change": dict.fromkeys(
        ("value", "low", "high"), 0.0)}  # fmt: skip
    for content, words in (
        (b"", "does not hold results of an evaluation"),
        (b'{"a":1}', "does not hold results of an evaluation"),
        (b"\xff", "does not hold results of an evaluation"),
        (msgspec.json.encode([lacking]), "the measures of lists lack recall@10"),
        (msgspec.json.encode([uneven]), "drift needs a recall of each stretch"),
        (msgspec.json.encode([result(closer=None)]), "has no figures of re-ranking"),
        (b"[]", "has no figures of re-ranking"),
    ):
        path.write_bytes(content)
        found = told(shown)
        assert (found.at, found.sections) == (0, []) and words in found.text
        assert found.text.startswith("e.json") and str(tmp_path) not in found.text
    monkeypatch.setattr(evaluation, "LARGEST", 1 << 20)
    path.write_bytes(b" " * ((1 << 20) + 1))
    assert told(shown).text.startswith("e.json is larger than 1 MB")
    path.unlink()
    os.mkfifo(path)  # which would not answer
    assert told(shown).text.startswith("e.json is not a file")
    assert told(Evaluation(str(tmp_path))).text.startswith(f"{tmp_path.name} is not a file")


_JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=9),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=9), inner),
    max_leaves=5,
)


@given(st.lists(st.integers(0, 1000), min_size=1, max_size=3), _JSON)
def test_whatever_stands_in_a_file_it_is_sections_or_a_sentence(
    tmp_path_factory: pytest.TempPathFactory, at: list[int], value: Any
) -> None:
    """Any value in any place of a file."""
    content = msgspec.to_builtins([result()])
    place, names = content, [*range(1)]
    for number in at:
        inner = [*place] if isinstance(place, dict) else range(len(place))
        names = [*inner]
        if not isinstance(inner := place[names[number % len(names)]], dict | list) or not inner:
            break
        place = inner
    names = [*place] if isinstance(place, dict) else [*range(len(place))]
    place[names[at[-1] % len(names)]] = value
    path = tmp_path_factory.mktemp("e") / "e.json"
    path.write_bytes(msgspec.json.encode(content))
    found = told(Evaluation(str(path)))
    assert bool(found.sections) == bool(found.at)
    assert re.search(r"\w", found.text)
