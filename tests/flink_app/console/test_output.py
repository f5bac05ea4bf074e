"""Every command on every kind of output: a sentence and an exit code, never a traceback.

One process loads the command line; each case is a fork of it, with its own streams.
"""

from __future__ import annotations

import io
import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from flink_app.commands.every import app
from flink_app.console import output

ROOT = Path(__file__).parents[3]

CHEAP = {
    "run": ["run", "missing"],
    "evaluate": ["evaluate", "missing"],
    "simulate": ["simulate", "made.jsonl", "--events", "3"],
    "package": ["package", "--out", "events.jsonl/x"],
    "validate": ["validate", "events.jsonl"],
    "replay": ["replay", "missing"],
    "import": ["import", "gorse", "missing", "--to", "made.jsonl"],
    "cassandra-schema": ["cassandra-schema"],
    "forget": ["forget", "ann"],
    "export": ["export", "ann"],
    "why": ["why", "ann", "kettle"],
    "experiment": ["experiment", "report"],
    "fetch": ["fetch", "none"],
    "items": ["items", "missing"],
    "lines": ["lines", "missing"],
    "report": ["report", "missing"],
    "get": ["get", "José"],
    "similar": ["similar", "→"],
    "redis-usage": ["redis-usage"],
    "config": ["config"],
    "metrics": ["metrics", "--listen", "x"],
    "serve": ["serve", "--port", "x"],
}
"""A call of each command that ends at once; those that are not here have none."""

COMMANDS = sorted(name for name in app if not name.startswith("-"))
HELP = [[name, "--help"] for name in COMMANDS]
CALLS = [*CHEAP.values(), ["config", "--toml"], ["validate", "events.jsonl", "--json"], []]
ALL = [*CALLS, *HELP]
SOME = [CHEAP[name] for name in ("run", "validate", "get", "config", "simulate")]

STREAMS: dict[str, dict[str, Any]] = {
    "utf-8": {"encoding": "utf-8"},
    "ascii": {"encoding": "ascii"},
    "latin-1": {"encoding": "latin-1"},
    "full": {"stdout": "/dev/full"},
    "no room for messages": {"stderr": "/dev/full"},
    "closed": {"stdout": ""},
    "no messages": {"stderr": ""},
    "nothing": {"stdin": "", "stdout": "", "stderr": ""},
    "pipe": {"stdout": "|"},
    "narrow": {"columns": "1"},
}

FORKS = r"""
import io, json, os, sys
import flink_app.cli
import flink_app.commands.every
# What commands load by themselves, once for all forks.
import flink_app.data.items, flink_app.data.replay, flink_app.data.validate, flink_app.data.fetch
import flink_app.evaluate.evaluation, flink_app.local.run, flink_app.lookup.usage
import flink_app.monitoring.exporter
import flink_app.package, flink_app.report.builder, flink_app.serve.server
import flink_app.simulator.simulation

def connect(name, number, to, folder):
    # "" is closed, "|" a pipe that nobody reads, None a file
    if to == "|":
        read, write = os.pipe()
        os.close(read)
        return os.dup2(write, number)
    handle = os.open(to or f"{folder}/{name}", os.O_RDWR | os.O_CREAT | os.O_TRUNC)
    os.dup2(handle, number)
    os.close(handle)
    if to == "":
        os.close(number)

def stream(number, name, case):
    if case.get(name) == "":
        return None
    encoding = case.get("encoding", "utf-8")
    lines = name == "stderr"
    return io.TextIOWrapper(open(number, "wb", closefd=False), encoding, line_buffering=lines)

for case in json.load(sys.stdin):
    child = os.fork()
    if not child:
        for number, name in enumerate(("stdin", "stdout", "stderr")):
            to = case.get(name, "/dev/null" if name == "stdin" else None)
            connect(name, number, to, case["folder"])
        sys.stdout = sys.__stdout__ = stream(1, "stdout", case)
        sys.stderr = sys.__stderr__ = stream(2, "stderr", case)
        os.environ["COLUMNS"] = case.get("columns", "80")
        sys.argv = ["millirec", *case["arguments"]]
        try:
            flink_app.cli.main()
        except SystemExit as end:
            # Python's own end takes half a second with all modules; one command shows it.
            if case["arguments"] != ["config"]:
                for each in filter(None, (sys.stdout, sys.stderr)):
                    each.flush()
                os._exit(end.code)
            raise
    os.write(1, b"%d\n" % os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]))
"""


def run_all(cases: list[dict[str, Any]], folder: Path) -> list[int]:
    """The exit codes of the cases; their streams are files in their folders."""
    environment = {**os.environ, "PYTHONPATH": str(ROOT), "REDIS_URL": "redis://127.0.0.1:1/0"}
    done = subprocess.run(
        [sys.executable, "-c", FORKS], input=json.dumps(cases), cwd=folder, env=environment,
        capture_output=True, text=True, check=True, timeout=600,
    )  # fmt: skip
    return [int(code) for code in done.stdout.split()]


def test_every_command_has_a_call() -> None:
    assert set(CHEAP) | {"demo", "graph"} == set(COMMANDS)


def test_no_stream_gets_a_traceback_out_of_any_command(tmp_path: Path) -> None:
    (tmp_path / "events.jsonl").write_text('{"user":"é","item":"→","type":"view"}\n' * 3 + "bad\n")
    cases = []
    for kind, streams in STREAMS.items():
        calls = {"utf-8": ALL, "narrow": HELP, "full": CALLS, "ascii": CALLS}.get(kind, SOME)
        for number, arguments in enumerate(calls):
            folder = tmp_path / f"{kind}-{number}"
            folder.mkdir()
            cases.append({"folder": str(folder), "arguments": arguments, "kind": kind, **streams})
    codes = run_all(cases, tmp_path)
    usual = dict(zip(map(str, ALL), codes, strict=False))
    for case, code in zip(cases, codes, strict=True):
        said = "".join(file.read_text("latin-1") for file in Path(case["folder"]).iterdir())
        told = f"millirec {' '.join(case['arguments'])} on {case['kind']}: {code} {said}"
        assert "Traceback" not in said and "Exception ignored" not in said, told
        expected = usual[str(case["arguments"])]
        if case["kind"] in ("full", "pipe"):  # some print nothing there
            assert code in (expected, 1), told
        else:
            assert code == expected, told
        if case["kind"] == "full" and code != expected:
            assert said == "error: standard output: No space left on device.\n", told


def test_arguments_that_are_not_text(tmp_path: Path) -> None:
    bad = "caf\udce9"
    calls = [["get", bad], ["similar", bad], ["config", "--set", f"job.name={bad}"]]
    calls += [["serve", "--host", bad], ["metrics", "--listen", f"{bad}:1"], ["run", bad]]
    calls += [["validate", bad], ["items", bad], ["config", "--config", bad], ["fetch", bad]]
    calls += [
        ["simulate", f"{bad}.jsonl", "--events", "3"],
        ["package", "--out", f"/dev/null/{bad}"],
    ]
    cases = []
    for number, arguments in enumerate(calls):
        folder = tmp_path / str(number)
        folder.mkdir()
        cases.append({"folder": str(folder), "arguments": arguments})
    for case, code in zip(cases, run_all(cases, tmp_path), strict=True):
        said = (Path(case["folder"]) / "stderr").read_text()
        assert "Traceback" not in said, said
        assert code == 0 if case["arguments"][0] == "simulate" else code in (2, 3), case
        assert "\\udce9" in said or code == 0 or "does not answer" in said, said


@given(
    st.text(st.characters(exclude_categories=[])), st.sampled_from(["ascii", "latin-1", "utf-8"])
)
def test_any_text_is_written(text: str, encoding: str) -> None:
    output.prepare()
    stream = io.TextIOWrapper(io.BytesIO(), encoding, errors="millirec", newline="")
    stream.write(json.dumps(text, ensure_ascii=False))
    stream.flush()
    assert isinstance(stream.buffer, io.BytesIO)
    read = json.loads(stream.buffer.getvalue().decode(encoding))
    for letter, plain in {"→": "->", "…": "...", "·": "-", "×": "x", "●": "*", "○": "o"}.items():
        text, read = text.replace(letter, plain), read.replace(letter, plain)
    assert read == text


@pytest.mark.parametrize(("columns", "set_to"), [("1", "20"), ("19", "20"), ("33", "33")])
def test_a_narrow_terminal_is_not_taken_at_its_word(
    columns: str, set_to: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("COLUMNS", columns)
    output.prepare()
    assert os.environ["COLUMNS"] == set_to
