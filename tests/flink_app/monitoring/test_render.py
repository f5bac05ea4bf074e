"""The table in docs/monitoring.md is the one of the code."""

from __future__ import annotations

from flink_app.monitoring.render import FILE, renewed


def test_the_page_is_current() -> None:
    text = FILE.read_text(encoding="utf-8")
    assert renewed(text) == text, "run python -m flink_app.monitoring.render"


def test_only_what_is_between_the_marks_is_renewed() -> None:
    text = "a\n<!-- metrics -->\nold\n<!-- /metrics -->\nb\n"
    new = renewed(text)
    assert new.startswith("a\n<!-- metrics -->\n\n| metric |")
    assert new.endswith("|\n\n<!-- /metrics -->\nb\n")
    assert renewed(new) == new
