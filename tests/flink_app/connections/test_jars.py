from __future__ import annotations

from pathlib import Path

import pytest

from flink_app.connections import jars


def test_the_cache_is_the_users(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    assert jars.cache() == tmp_path / "millirec"
    monkeypatch.setenv("XDG_CACHE_HOME", "/dev/null")
    assert jars.cache() != Path("/dev/null/millirec")
    assert jars.cache().is_absolute()
