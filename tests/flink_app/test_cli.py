"""The command line answers at once, with sentences and exit codes."""

from __future__ import annotations

import subprocess
import sys

import pytest

from flink_app import __version__
from flink_app.cli import main


def code_of(*arguments: str) -> int:
    with pytest.raises(SystemExit) as ended:
        main(list(arguments))
    assert isinstance(ended.value.code, int)
    return ended.value.code


def test_version(capsys: pytest.CaptureFixture[str]) -> None:
    assert code_of("--version") == 0
    assert capsys.readouterr().out.strip() == __version__


@pytest.mark.parametrize(
    "command",
    ["run", "demo", "simulate", "import", "get", "similar", "config", "graph", "package"],
)
def test_every_command_has_help(command: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert code_of(command, "--help") == 0
    assert f"Usage: millirec {command}" in capsys.readouterr().out


def test_the_help_documents_the_exit_codes(capsys: pytest.CaptureFixture[str]) -> None:
    assert code_of("--help") == 0
    text = capsys.readouterr().out
    assert all(code in text for code in ("0 finished", "1 the job or", "130 stopped"))


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["run", "--nope"], "--nope"),
        (["run"], "source.paths is empty"),
        (["run", "a", "--set", "model.dimension=3"], "did you mean dimensions?"),
        (["import", "gorse"], "needs a file"),
        (["config", "--config", "/no/such.toml"], "does not exist"),
        (["simulate", "x.jsonl", "--rate", "0"], "must be above 0"),
        (["get", "ann", "--trending"], "ann and --trending: the trending list is the same for"),
    ],
)
def test_a_mistake_is_a_sentence_and_code_2(
    arguments: list[str], words: str, capsys: pytest.CaptureFixture[str], tmp_path: object,
    monkeypatch: pytest.MonkeyPatch,
) -> None:  # fmt: skip
    monkeypatch.chdir(str(tmp_path))
    assert code_of(*arguments) == 2
    told = capsys.readouterr()
    assert words in told.out + told.err
    assert "Traceback" not in told.err


def test_the_configuration_is_shown_with_origins_and_without_secrets(
    capsys: pytest.CaptureFixture[str],
) -> None:
    assert code_of("config", "--set", "redis.password=geheim", "--set", "lists.length=50") == 0
    text = capsys.readouterr().out
    assert "geheim" not in text
    lines = {line.split(" = ")[0].strip(): line for line in text.splitlines()}
    assert lines["lists.length"].endswith("= 50   # --set")
    assert lines["model.dimensions"].endswith("= 32")


def test_the_commented_file_is_printed(capsys: pytest.CaptureFixture[str]) -> None:
    assert code_of("config", "--toml") == 0
    assert "#dimensions = 32" in capsys.readouterr().out


def test_a_lookup_imports_nothing_heavy() -> None:
    code = (
        "import sys, flink_app.cli, flink_app.lookup.lists; "
        "print([m for m in ('pyflink', 'numba', 'numpy', 'py4j') if m in sys.modules])"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"
