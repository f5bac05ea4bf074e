"""A team's file in a stream: it is loaded again, left alone when slow, and never stops anything."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from udfs.errors import ConfigError
from udfs.models.own import file as own
from udfs.models.own.file import LOOK_MS, OwnFile
from udfs.models.own.network import ModelFailure

NOW = 1_700_000_000_000


class Text:
    """What stands in for a model: the text of its file."""

    def __init__(self, path: Path) -> None:
        self.text = path.read_text()
        if self.text == "broken":
            raise ConfigError(f"{path} is broken.")


def put(path: Path, text: str) -> Path:
    beside = path.with_suffix(".part")
    beside.write_text(text)
    return beside.replace(path)


def opened(path: Path, **options: Any) -> OwnFile[Text]:
    return OwnFile("toy", "toy.model", str(path), Text, **{"patient": False, **options})


class Clock:
    """The time that calls take, as they say."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.now = 100.0
        monkeypatch.setattr("udfs.models.own.file.time.perf_counter", lambda: self.now)

    def taking(self, ms: float) -> Any:
        def call(model: Text) -> str:
            self.now += ms / 1000
            return model.text

        return call


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> Clock:
    return Clock(monkeypatch)


def test_a_file_that_changes_is_loaded_again(tmp_path: Path) -> None:
    file = opened(put(tmp_path / "m", "one"))
    assert not file.look(NOW)
    put(tmp_path / "m", "two")
    assert not file.look(NOW + LOOK_MS - 1), "it is not looked at all the time"
    assert file.look(NOW + LOOK_MS)
    assert file.ask(1, lambda model: model.text) == "two"
    assert file.take()["toy:loaded"] == 1


def test_a_broken_file_leaves_the_model_that_was_there(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    file = opened(put(tmp_path / "m", "one"))
    put(tmp_path / "m", "broken")
    assert not file.look(NOW)
    assert not file.look(NOW + LOOK_MS), "it is not read again before it changes"
    assert file.model.text == "one"
    assert file.take() == {"toy:refused": 1}
    assert caplog.text.count("goes on") == 1
    (tmp_path / "m").unlink()
    assert not file.look(NOW + 2 * LOOK_MS)
    put(tmp_path / "m", "three")
    assert file.look(NOW + 3 * LOOK_MS)
    assert file.model.text == "three"


def test_it_must_be_right_at_the_start(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="broken"):
        opened(put(tmp_path / "m", "broken"))


def test_a_failure_is_counted_and_told_once(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    file = opened(put(tmp_path / "m", "one"))

    def fail(model: Text) -> str:
        raise ModelFailure("no such operator")

    for _ in range(3):
        assert file.ask(5, fail) is None
        assert file.silent
    assert file.take() == {"toy:failed": 3, "toy:without": 15}
    assert caplog.text.count("no such operator") == 1
    assert file.ask(2, lambda model: model.text) == "one", "it is asked again"
    assert not file.silent
    assert file.take().keys() == {"toy:lists", "toy:us"}


def test_a_slow_model_rests(tmp_path: Path, clock: Clock, caplog: pytest.LogCaptureFixture) -> None:
    file = opened(put(tmp_path / "m", "one"))
    for ms in (60, 60, 54, 60, 60):  # 55 ms is too long for one list, once may be by accident
        assert file.ask(1, clock.taking(ms)) == "one"
    assert file.ask(1, clock.taking(60)) == "one", "what it said late is used"
    assert file.ask(4, clock.taking(1)) is None, "then it rests"
    assert file.take() == {"toy:lists": 6, "toy:us": 354_000, "toy:slow": 1, "toy:without": 4}
    assert "60 ms for 1 lists" in caplog.text
    clock.now += own.REST_S
    assert file.ask(1, clock.taking(60)) == "one"
    assert file.ask(1, clock.taking(60)) is None, "once more is enough"
    clock.now += own.REST_S
    for _ in range(9):
        assert file.ask(1, clock.taking(1)) == "one"


def test_many_lists_may_take_longer(tmp_path: Path, clock: Clock) -> None:
    file = opened(put(tmp_path / "m", "one"))
    for _ in range(9):
        assert file.ask(100, clock.taking(500)) == "one"


def test_a_patient_one_depends_on_no_clock(tmp_path: Path, clock: Clock) -> None:
    file = opened(put(tmp_path / "m", "one"), patient=True)
    for _ in range(9):
        assert file.ask(1, clock.taking(10_000)) == "one"


def test_a_new_file_ends_the_rest(tmp_path: Path, clock: Clock) -> None:
    file = opened(put(tmp_path / "m", "one"))
    for _ in range(3):
        file.ask(1, clock.taking(100))
    assert file.ask(1, clock.taking(1)) is None
    put(tmp_path / "m", "two")
    assert file.look(NOW)
    assert file.ask(1, clock.taking(1)) == "two"
