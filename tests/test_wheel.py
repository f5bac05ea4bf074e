"""What pip installs from the wheel works where there is no clone: in an environment of its own
and an empty folder.

The wheel is built from the archive of the sources, so that both are whole; the variable WHEEL names
one that is there already. Its dependencies come from uv's or pip's cache. Of the clone, only the
machine code of the kernels is used, since to compile it again takes a minute; the sources that it
was made from are compared before.
"""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
import sys
import urllib.request
import zipfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import NamedTuple

import pytest

from flink_app import __version__
from flink_app.local.ports import free_port
from tests.documents import ROOT
from tests.waiting import wait_for

pytestmark = pytest.mark.job

PACKAGES = ("flink_app", "udfs", "deploy")
LEFT_OUT = (
    *("deploy/README.md", "deploy/compose.yaml"),
    *("deploy/image/", "deploy/kubernetes/", "deploy/serve/"),
)
"""Files and folders below the packages that no command reads."""
EVENTS = "".join(
    json.dumps(
        {"user": f"u{n % 7}", "item": f"i{(7 * n * n + n) % 97}", "ts": 1_700_000_000 + 60 * n}
    )
    + "\n"
    for n in range(200)
)


def _run(*command: str | Path, cwd: Path = ROOT) -> str:
    done = subprocess.run(command, cwd=cwd, capture_output=True, text=True)
    assert done.returncode == 0, f"{command} ended with {done.returncode}: {done.stderr[-3000:]}"
    return done.stdout


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The wheel."""
    if given := os.environ.get("WHEEL"):
        return Path(given).resolve()
    folder = tmp_path_factory.mktemp("dist")
    _run(sys.executable, "-m", "build", "--outdir", folder)
    _run(sys.executable, "-m", "twine", "check", "--strict", *folder.iterdir())
    return next(folder.glob("*.whl"))


class Installed(NamedTuple):
    """An environment with the wheel and its extra `demo`, and an empty folder to work in."""

    environment: Path
    folder: Path

    def variables(self, **more: str) -> dict[str, str]:
        """The variables of its processes: none that leads to the clone."""
        kept = {name: os.environ[name] for name in ("TMPDIR", "LANG") if name in os.environ}
        home, path = str(self.folder.parent / "home"), f"{self.environment / 'bin'}:/usr/bin:/bin"
        return {**kept, "HOME": home, "PATH": path, "COLUMNS": "200", **more}

    def run(self, *command: str, **variables: str) -> str:
        """What a command of the environment prints, with its messages if it fails."""
        done = subprocess.run(
            [self.environment / "bin" / command[0], *command[1:]],
            cwd=self.folder,
            env=self.variables(**variables),
            capture_output=True,
            text=True,
        )
        assert done.returncode == 0, f"{command}: {done.stdout[-2000:]} {done.stderr[-3000:]}"
        return done.stdout

    @contextmanager
    def running(self, *command: str) -> Iterator[None]:
        """A command while it runs."""
        process = subprocess.Popen(
            [self.environment / "bin" / command[0], *command[1:]],
            cwd=self.folder,
            env=self.variables(),
            stdout=subprocess.DEVNULL,
        )
        try:
            yield
        finally:
            process.terminate()
            process.wait()


@pytest.fixture(scope="module")
def installed(wheel: Path, tmp_path_factory: pytest.TempPathFactory) -> Installed:
    """The wheel, installed."""
    folder = tmp_path_factory.mktemp("installed")
    found = Installed(folder / "env", folder / "empty")
    found.folder.mkdir()
    (folder / "home").mkdir()
    python = found.environment / "bin" / "python"
    beside = os.pathsep.join([str(Path(sys.executable).parent), os.environ["PATH"]])
    if uv := shutil.which("uv", path=beside):
        _run(uv, "venv", "--quiet", "--python", sys.executable, found.environment)
        _run(uv, "pip", "install", "--quiet", "--python", python, f"{wheel}[demo]")
    else:
        _run(sys.executable, "-m", "venv", found.environment)
        _run(python, "-m", "pip", "install", "--quiet", f"{wheel}[demo]")
    _give_kernels(found)
    (found.folder / "events.jsonl").write_text(EVENTS)
    return found


def _give_kernels(installed: Installed) -> None:
    """Let the installed sources have the machine code of the clone's, which are the same: Numba
    goes by the time of a source, and by its size."""
    to = next(installed.environment.glob("lib/python*/site-packages"))
    for source in (ROOT / "udfs").rglob("*.py"):
        code, copy = source.read_bytes(), to / source.relative_to(ROOT)
        assert copy.read_bytes() == code
        copy.unlink()  # it may be a link into uv's cache
        copy.write_bytes(code)
        shutil.copystat(source, copy)
    for kernel in (ROOT / "udfs").rglob("__pycache__/*.nb[ic]"):
        copy = to / kernel.relative_to(ROOT)
        copy.parent.mkdir(exist_ok=True)
        shutil.copy2(kernel, copy)


def test_it_has_what_commands_read_and_nothing_else(wheel: Path) -> None:
    with zipfile.ZipFile(wheel) as archive:
        names = {name for name in archive.namelist() if ".dist-info/" not in name}
    files = [path for top in PACKAGES for path in (ROOT / top).rglob("*") if path.is_file()]
    here = {
        path.relative_to(ROOT).as_posix()
        for path in files
        if "__pycache__" not in path.parts and not path.name.startswith(".")
    }
    assert names <= here, "of the packages, without tests and data"
    missing = {name for name in here - names if not name.startswith(LEFT_OUT)}
    assert not missing, "[tool.setuptools.package-data] in pyproject.toml, or LEFT_OUT, lacks these"


def test_no_code_comes_from_the_clone(installed: Installed) -> None:
    code = "import deploy.local, flink_app.cli, udfs; print(deploy, flink_app, udfs)"
    found = re.findall(r"from '(.+?)'", installed.run("python", "-c", code))
    assert len(found) == 3
    assert all(Path(file).is_relative_to(installed.environment) for file in found)
    assert installed.run("millirec", "--version").strip() == __version__


def test_a_run_leaves_lists_that_are_looked_up_and_served(installed: Installed) -> None:
    assert re.search(r"200 [^\n]*learned", installed.run("millirec", "run", "events.jsonl"))
    assert '"item":"i' in installed.run("millirec", "get", "--json", "u1")
    port = free_port()

    def get(path: str) -> bytes:
        with urllib.request.urlopen(f"http://127.0.0.1:{port}{path}") as answer:
            return bytes(answer.read())

    def ready() -> bool:
        try:
            return bool(get("/health/live"))
        except OSError:
            return False

    with installed.running("millirec", "serve", "--port", str(port)):
        wait_for(ready)
        assert json.loads(get("/recommend/u1"))["items"]
        page = get("/").decode()
        for name in re.findall(r'(?:src|href)="/?([\w./-]+\.(?:js|css|svg))"', page):
            assert get(f"/{name}")


def test_an_evaluation_and_its_report(installed: Installed) -> None:
    told = installed.run("millirec", "evaluate", "events.jsonl", "--repeat", "--out", "e.json")
    assert "recall@10" in told
    assert "written: report.html" in installed.run("millirec", "report", "e.json")


def test_the_archive_for_a_cluster(installed: Installed) -> None:
    installed.run("millirec", "package", "--set", "source.kind=kafka")
    with zipfile.ZipFile(installed.folder / "millirec-job.zip") as archive:
        names = archive.namelist()
    assert {"main.py", "millirec.toml", "flink_app/job.py", "udfs/operators/parse.py"} <= {*names}
    assert any(name.endswith(".nbc") for name in names)


def test_the_demo(installed: Installed) -> None:
    told = installed.run("millirec", "demo", DEMO_SECONDS="10", DEMO_BROWSER="0")
    assert re.search(r"\d ms", told)


def test_the_local_stack_finds_its_files(installed: Installed) -> None:
    assert "kafka" in installed.run("python", "-m", "deploy.local", "up", "--help")
    code = "from deploy.download import pinned; print(len(pinned('kafka')))"
    assert int(installed.run("python", "-c", code)) > 10
    assert "[source]" in installed.run("millirec", "config", "--toml")
