"""Measures starts: five lines from the command to its end, and the demo from a clone to a list.

In: source trees, by default this one. Out: for each, seconds of the whole and of its phases, CPU
seconds of each process, and the resident memory (PSS) of the demo's processes a minute after the
first list; with the part `page`, what the operators' view in a Chromium shows then. As text, and as
JSON in benchmarks/out. Linux only.
"""

from __future__ import annotations

import argparse
import contextlib
import json
import os
import re
import signal
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any

from benchmarks.machine import machine

OUT = Path(__file__).parent / "out" / "start.json"
_TREE = Path(__file__).parents[1]
_LINES = """\
{"user":"alice","item":"kettle","type":"view"}
{"user":"alice","item":"teapot","type":"purchase"}
{"user":"bob","item":"kettle","type":"click"}
{"user":"bob","item":"mug","type":"cart"}
{"user":"carol","item":"mug","type":"view","ts":"2024-05-01T12:00:00Z","id":"e-17"}
"""
_TICK = os.sysconf("SC_CLK_TCK")
_STAY_S = 60.0
PHASES = {
    "Making .venv": "make begins",
    "starting Java and Flink": "Java is started",
    "running; Ctrl-C": "job submitted",
    "stopping Flink": "job done",
    "finished": "Flink ended",
    "Live page": "the page answers",
    "Starting Java": "Java is started",
    "Starting Flink": "Java runs",
    "Warming up the job": "job submitted",
    "Learning the shop's past": "compiled",
    "the list follows": "a list followed",
}
"""What a line of the output tells, by its words."""


class Watched:
    """A running command: when each phase began, and what its processes used.

    Args:
        command, folder, environment: as for `subprocess.Popen`.
    """

    def __init__(self, command: Sequence[str], folder: Path, environment: dict[str, str]) -> None:
        self._began = time.monotonic()
        self.page = ""
        self.phases: dict[str, float] = {}
        self.cpu_s: dict[int, tuple[str, float]] = {}
        self.process = subprocess.Popen(
            command,
            cwd=folder,
            env=environment,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            start_new_session=True,
        )
        threading.Thread(target=self._read, daemon=True).start()

    def _read(self) -> None:
        assert self.process.stdout is not None
        for line in self.process.stdout:
            self.page = self.page or page_of(line)
            for words, phase in PHASES.items():
                if words in line:
                    self.phases.setdefault(phase, round(time.monotonic() - self._began, 1))

    def until(self, done: Callable[[], bool], seconds: float) -> bool:
        """Watch until `done`, the command's end or for at most `seconds`; whether it is done."""
        end = time.monotonic() + seconds
        while self.process.poll() is None and time.monotonic() < end and not done():
            for process in family(self.process.pid):
                self.cpu_s[process] = _name(process), _cpu_s(process)
            time.sleep(0.05)
        return done()

    def cpu(self) -> dict[str, float]:
        """CPU seconds by the name of the program, without what took less than a tenth."""
        sums: dict[str, float] = {}
        for name, seconds in self.cpu_s.values():
            sums[name] = round(sums.get(name, 0.0) + seconds, 2)
        return {name: seconds for name, seconds in sums.items() if seconds >= 0.1}

    def stop(self) -> None:
        """As Ctrl-C does."""
        with contextlib.suppress(ProcessLookupError):  # it has ended by itself
            os.killpg(self.process.pid, signal.SIGINT)
        self.process.wait(60)

    @property
    def seconds(self) -> float:
        """Since its start."""
        return round(time.monotonic() - self._began, 1)


def page_of(line: str) -> str:
    """The address of the live page, if a line of the demo's output tells it."""
    found = re.search(r"Live page: (http[^\s,]+)", line)
    return found[1] if found else ""


def family(process: int) -> Iterator[int]:
    """A process and all below it."""
    yield process
    try:
        children = Path(f"/proc/{process}/task/{process}/children").read_text().split()
    except OSError:
        return
    for child in children:
        yield from family(int(child))


def pss_mib(process: int) -> float:
    """Its resident memory, what is shared with others in parts, MiB; 0 if it is gone."""
    try:
        lines = Path(f"/proc/{process}/smaps_rollup").read_text().splitlines()
    except OSError:
        return 0.0
    return round(sum(int(line.split()[1]) for line in lines if line.startswith("Pss:")) / 1024, 1)


def _name(process: int) -> str:
    try:
        return Path(f"/proc/{process}/comm").read_text().strip()
    except OSError:
        return ""


def _cpu_s(process: int) -> float:
    try:
        fields = Path(f"/proc/{process}/stat").read_text().rpartition(")")[2].split()
    except OSError:
        return 0.0
    return (int(fields[11]) + int(fields[12])) / _TICK


def five_lines(tree: Path, folder: Path) -> dict[str, Any]:
    """`millirec run` on five lines."""
    (folder / "events.jsonl").write_text(_LINES)
    command = [sys.executable, "-m", "flink_app", "run", "events.jsonl", "--set", "redis.keep="]
    watched = Watched(command, folder, os.environ | {"PYTHONPATH": str(tree)})
    watched.until(lambda: False, 600)
    if watched.process.wait():
        raise SystemExit(f"`millirec run` of {tree} ended with {watched.process.returncode}")
    return {"seconds": watched.seconds, "phases": watched.phases, "cpu_s": watched.cpu()}


def demo(tree: Path, folder: Path, clone: bool = False, look: bool = False) -> dict[str, Any]:
    """The demo up to a minute after its first list: `make demo` in a clone, or as it is here; with
    the operators' view open in a Chromium, if it is to be looked at."""
    command, environment = [sys.executable, "-m", "flink_app", "demo"], dict(os.environ)
    began = time.monotonic()
    if clone:
        subprocess.run(["git", "clone", "--quiet", str(tree), str(folder / "clone")], check=True)
        command, folder = ["make", "demo", f"PYTHON={sys.executable}"], folder / "clone"
        environment.pop("PYTHONPATH", None)
    else:
        environment["PYTHONPATH"] = str(tree)
    cloned = time.monotonic() - began
    watched = Watched(command, folder, environment | {"DEMO_BROWSER": "0"})
    with contextlib.ExitStack() as stack:
        stack.callback(watched.stop)
        view: Any = None
        if look:
            from benchmarks.operator_page import figures, operator_view

            watched.until(lambda: watched.page != "", 300)
            view = stack.enter_context(operator_view(watched.page))
        if not watched.until(lambda: "a list followed" in watched.phases, 900):
            raise SystemExit(f"no list followed in the demo of {tree}")
        watched.until(lambda: False, _STAY_S)
        shown = figures(view, OUT.with_name("operator.png")) if look else {}
        memory = {f"{_name(one)} {one}": pss_mib(one) for one in family(watched.process.pid)}
        cpu = watched.cpu()
    return {
        **({"shown": shown} if look else {}),
        "cloned_s": round(cloned, 1),
        "phases": watched.phases,
        "cpu_s": cpu,
        "pss_mib": {name: size for name, size in memory.items() if size >= 1},
    }


PARTS: dict[str, Callable[[Path, Path], dict[str, Any]]] = {
    "run": five_lines,
    "demo": demo,
    "clone": lambda tree, folder: demo(tree, folder, clone=True),
    "page": lambda tree, folder: demo(tree, folder, look=True),
}


def main() -> None:
    """`python -m benchmarks.start [TREE …] [--parts run demo clone page] [--rounds N]`"""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.start", description=__doc__)
    parser.add_argument("trees", nargs="*", type=Path, default=[_TREE], help="source trees")
    parser.add_argument("--parts", nargs="+", choices=PARTS, default=["run", "demo", "clone"])
    parser.add_argument("--rounds", type=int, default=3, help="of the part `run`, in turns")
    given = parser.parse_args()
    found: list[dict[str, Any]] = []
    for part in given.parts:
        for number in range(given.rounds if part == "run" else 1):
            for tree in given.trees:
                with tempfile.TemporaryDirectory(prefix="millirec-start-") as folder:
                    figures = PARTS[part](tree.resolve(), Path(folder))
                found.append({"tree": str(tree), "part": part, "round": number, **figures})
                print(json.dumps(found[-1]), flush=True)
    OUT.parent.mkdir(exist_ok=True)
    OUT.write_text(json.dumps({"machine": machine(), "measured": found}, indent=1))


if __name__ == "__main__":
    main()
