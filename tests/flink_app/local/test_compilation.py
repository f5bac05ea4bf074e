"""Kernels are compiled before the job needs them, once for each of its settings."""

from __future__ import annotations

from pathlib import Path

import pytest

from flink_app.config import load
from flink_app.local import compilation
from flink_app.local.compilation import Compilation, compile_now

SETTINGS = load(None, [], {}).config.settings


@pytest.fixture(autouse=True)
def own(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(compilation, "own_folder", lambda: tmp_path)
    monkeypatch.setattr("os.cpu_count", lambda: 2)
    monkeypatch.setattr(compilation, "_cached", lambda: True)


def module(folder: Path, code: str, monkeypatch: pytest.MonkeyPatch) -> None:
    (folder / "stand_in.py").write_text(code)
    monkeypatch.setenv("PYTHONPATH", str(folder))
    monkeypatch.setattr(compilation, "_MODULE", "stand_in")


def test_it_is_done_once_for_each_kind_of_settings(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    module(tmp_path, "import sys\ndef main(): sys.stdin.read()", monkeypatch)
    first = Compilation(SETTINGS)
    assert first.needed
    first.start()
    first.wait()
    assert not Compilation(SETTINGS).needed
    for option in ("model.dimensions=33", "redis.url=redis://127.0.0.1:1/0", "job.name=another"):
        assert not Compilation(load(None, [option], {}).config.settings).needed
    kinds = "model.loss=squared", "lists.model=mf", "ranker.train_per_s=0", "explore.share=0"
    kinds += ("redis.factors=true",)
    for option in kinds:
        assert Compilation(load(None, [option], {}).config.settings).needed
    monkeypatch.setattr(compilation, "_cached", lambda: False)
    assert Compilation(SETTINGS).needed  # the compiled kernels were removed


def test_whoever_waits_for_it_is_told(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    module(tmp_path, "import sys\ndef main(): sys.stdin.read()", monkeypatch)
    compile_now(SETTINGS)
    assert "a minute or two" in capsys.readouterr().err
    assert not Compilation(SETTINGS).needed
    compile_now(SETTINGS)
    assert capsys.readouterr().err == ""


def test_a_module_in_the_current_folder_is_not_run(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    module(tmp_path, "import sys\ndef main(): sys.stdin.read()", monkeypatch)
    here = tmp_path / "here"
    here.mkdir()
    (here / "stand_in.py").write_text("raise SystemExit(1)")
    monkeypatch.chdir(here)
    first = Compilation(SETTINGS)
    first.start()
    first.wait()
    assert not Compilation(SETTINGS).needed


def test_it_is_done_again_after_it_failed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    module(tmp_path, "raise SystemExit(1)", monkeypatch)
    first = Compilation(SETTINGS)
    first.start()
    first.wait()
    assert Compilation(SETTINGS).needed


def test_it_ends_with_the_job(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    module(tmp_path, "import time; time.sleep(600)", monkeypatch)
    first = Compilation(SETTINGS)
    first.start()
    processes = list(first._processes)
    first.stop()
    assert len(processes) == 2
    assert all(process.poll() is not None for process in processes)


def test_one_core_is_left_to_the_job(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("os.cpu_count", lambda: 1)
    first = Compilation(SETTINGS)
    first.start()
    assert not first.needed
    assert not first._processes
