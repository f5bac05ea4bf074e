"""The lines of a run's files, or why their number says nothing."""

from __future__ import annotations

import bz2
from pathlib import Path

from flink_app.config import load
from flink_app.local.line_count import LineCount, count_of


def test_all_lines_of_all_files_are_counted(tmp_path: Path) -> None:
    (tmp_path / "a").write_text("1\n\n2")
    (tmp_path / "b").write_bytes(bz2.compress(b"1\n") * 3)
    (tmp_path / "_c").write_text("hidden")
    count = count_of(load(None, [f"source.paths={tmp_path}"], {}).config)
    assert count.result() == (6, "")


def test_a_restored_or_live_job_is_not_compared(tmp_path: Path) -> None:
    for setting, words in (("state.restore=x", "restored"), ("source.kind=directory", "")):
        lines, reason = count_of(
            load(None, [f"source.paths={tmp_path}", setting], {}).config
        ).result()
        assert lines is None and words in reason and bool(words) == bool(reason)


def test_a_file_that_changes_or_is_torn_is_named(tmp_path: Path) -> None:
    file = tmp_path / "a"
    file.write_bytes(bz2.compress(b"1\n" * 99)[:-5])
    count = LineCount([file], "")
    lines, reason = count.result()
    assert lines is None and "ends in the middle" in reason and count.fault(9) is not None
    file.write_text("1\n")
    assert count.result() == (None, f"{file} has changed since")
