"""The entry on a cluster leaves to Flink what belongs to Flink."""

from __future__ import annotations

from pathlib import Path

import pytest

from flink_app import main as entry
from flink_app.config import Loaded, load
from flink_app.package import CONFIG
from udfs.learning.settings import ORDINARY, Trial


def loaded(*settings: str) -> Loaded:
    return load(None, settings, {})


def test_the_state_backend_is_the_clusters_unless_configured() -> None:
    assert "state.backend.type" not in entry.cluster_options(loaded().config, loaded())
    for settings in (["state.backend=hashmap"], ["flink.options.state.backend.type=hashmap"]):
        chosen = loaded(*settings)
        assert entry.cluster_options(chosen.config, chosen)["state.backend.type"] == "hashmap"


def test_nothing_of_the_embedded_runtime_is_set() -> None:
    options = entry.cluster_options(loaded().config, loaded())
    assert options["python.execution-mode"] == "thread"
    assert not {"python.executable", "rest.port", "restart-strategy.type"} & options.keys()


def test_flinks_parallelism_holds_unless_configured() -> None:
    assert entry._with_parallelism(loaded(), 2).job.parallelism == 2
    assert entry._with_parallelism(loaded("job.parallelism=4"), 2).job.parallelism == 4


def test_a_given_file_goes_over_the_packaged_one(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(entry, "_packaged", lambda: b"[lists]\nlength = 7\n")
    file = tmp_path / CONFIG
    file.write_text("[lists]\nminimum_events = 2\n")
    assert entry._loaded(None, []).config.lists.length == 7
    assert entry._loaded(file, []).config.lists.length == 20


def test_without_a_package_the_defaults_hold(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(entry, "_packaged", lambda: None)
    assert entry._loaded(None, ["lists.length=9"]).config.lists.length == 9


def test_a_measured_job_is_submitted_with_an_argument() -> None:
    assert entry._parse(["--set", "quality.every=1"]) == (None, ["quality.every=1"], ORDINARY)
    assert entry._parse(["--sequential-tests"]) == (None, [], Trial(sequential=True))


def test_a_mistake_is_one_sentence_and_code_2(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as ended:
        entry.main(["--config", "/no/such.toml"])
    assert ended.value.code == 2
    assert capsys.readouterr().err.startswith("error: the configuration file /no/such.toml")
