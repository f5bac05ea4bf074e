"""The audit fails on findings, and only on them."""

from __future__ import annotations

import doctest
import importlib.util
import json
import sys
from pathlib import Path
from types import ModuleType

import pytest


@pytest.fixture
def audit(monkeypatch: pytest.MonkeyPatch) -> ModuleType:
    path = Path(__file__).parent.parent / ".ci" / "audit.py"
    spec = importlib.util.spec_from_file_location("audit", path)
    assert spec and spec.loader
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    monkeypatch.setattr(sys, "argv", ["audit"])
    return module


def test_the_report(audit: ModuleType) -> None:
    failed, tried = doctest.testmod(audit)
    assert tried and not failed


@pytest.mark.parametrize(
    ("vulnerabilities", "code", "expected"),
    [([{"id": "A-1", "fix_versions": []}], 1, 1), ([], 0, 0)],
)
def test_findings_fail(
    audit: ModuleType,
    monkeypatch: pytest.MonkeyPatch,
    vulnerabilities: list[object],
    code: int,
    expected: int,
) -> None:
    package = {"name": "x", "version": "1", "vulns": vulnerabilities}
    text = json.dumps({"dependencies": [package]})
    command = [sys.executable, "-c", f"import sys; print({text!r}); sys.exit({code})"]
    monkeypatch.setattr(audit, "COMMAND", command)
    with pytest.raises(SystemExit) as ended:
        audit.main()
    assert ended.value.code == expected


def test_no_answer_is_no_failure_and_says_so(
    audit: ModuleType, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    command = [sys.executable, "-c", "raise SystemExit('no network')"]
    monkeypatch.setattr(audit, "COMMAND", command)
    with pytest.raises(SystemExit) as ended:
        audit.main()
    assert ended.value.code == 0
    assert capsys.readouterr().out.startswith("not audited")
