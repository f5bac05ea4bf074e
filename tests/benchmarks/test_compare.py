"""The report of `make bench-compare`, and how it gets the other version."""

from __future__ import annotations

import subprocess
from pathlib import Path

import pytest

from benchmarks import compare


def test_the_report_has_medians_and_ratios(capsys: pytest.CaptureFixture[str]) -> None:
    compare.report({"this": [300, 100, 200], "v1": [100, 100, 50]})
    out = capsys.readouterr().out
    assert "this / v1: 2.00 by the medians, 1.00 to 4.00 by round" in out


def test_any_benchmark_is_compared_by_the_figures_that_both_versions_have(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    given = []

    def measured(module: str, *arguments: str, tree: Path) -> dict[str, object]:
        given.append((module, arguments, tree))
        here = tree == tmp_path / "here"
        round_ = (len(given) - 1) // 2
        return {"rates": [{"p50_ms": (10 if here else 40) + round_}], "new" if here else "old": 1}

    monkeypatch.setattr(compare, "measured", measured)
    trees = {"this": tmp_path / "here", "v1": tmp_path / "there"}
    found = compare.in_turns("latency --rates 400", trees, 3)
    assert given[:2] == [
        ("benchmarks.latency", ("--rates", "400"), tree) for tree in trees.values()
    ]
    assert found == {
        "this": {"rates.0.p50_ms": [10, 11, 12]},
        "v1": {"rates.0.p50_ms": [40, 41, 42]},
    }
    compare.print_figures(found)
    assert "rates.0.p50_ms" in (out := capsys.readouterr().out) and "0.27" in out


@pytest.fixture
def repository(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    folder = tmp_path / "repository"
    identity = ("-c", "user.name=t", "-c", "user.email=t@example.com")
    for command in (
        ("init", "-q", str(folder)),
        ("-C", str(folder), *identity, "commit", "-q", "--allow-empty", "-m", "first"),
    ):
        subprocess.run(["git", *command], check=True)
    monkeypatch.setattr(compare, "HERE", folder)
    return folder


def test_the_other_version_is_checked_out_and_removed_again(
    repository: Path, tmp_path: Path
) -> None:
    with compare.checked_out("HEAD", tmp_path) as tree:
        assert (tree / ".git").exists()
    assert not tree.exists()
    listed = subprocess.run(
        ["git", "-C", str(repository), "worktree", "list"], capture_output=True, check=True
    )
    assert len(listed.stdout.splitlines()) == 1


def test_an_unknown_version_is_named(repository: Path, tmp_path: Path) -> None:
    with (
        pytest.raises(SystemExit, match=r"REF=v99 cannot be checked out: .*v99"),
        compare.checked_out("v99", tmp_path),
    ):
        raise AssertionError
