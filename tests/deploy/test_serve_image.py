"""The image of `millirec serve` installs the project's requirements, and they suffice."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path

import msgspec
import pytest

ROOT = Path(__file__).resolve().parents[2]
FOLDER = ROOT / "deploy" / "serve"
KEPT_OUT = ("pyflink", "pemja", "apache_beam", "numba", "llvmlite", "pandas", "pyarrow", "scipy")


def lines(text: str) -> set[str]:
    """Requirements without comments."""
    return {line.partition("  #")[0].strip() for line in text.splitlines() if line[:1] not in "#"}


def test_the_requirements_are_those_of_the_project() -> None:
    project = msgspec.toml.decode((ROOT / "pyproject.toml").read_bytes())["project"]
    extras = project["optional-dependencies"]
    needed = {*extras["serve"], *extras["kafka"], *extras["cassandra"]}
    wanted = lines((FOLDER / "requirements.txt").read_text(encoding="utf-8"))
    assert needed <= wanted <= needed | set(project["dependencies"])
    assert not any(re.match("apache-flink|numba|setuptools", line) for line in wanted)


def test_the_server_runs_without_the_packages_that_the_image_lacks() -> None:
    program = f"""
import sys
for name in {KEPT_OUT!r}:
    sys.modules[name] = None
from flink_app.commands.app import app
from flink_app.config import load
from flink_app.serve.app import Application
from flink_app.serve.server import run
Application(load(None, ["redis.factors=true", "source.kind=kafka"], {{}}).config)
print(*(sorted({{name.partition(".")[0] for name in sys.modules}})))
"""
    done = subprocess.run(
        [sys.executable, "-c", program], cwd=ROOT, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr
    assert "fastapi" in done.stdout.split()


@pytest.mark.parametrize("folder", ["flink_app", "udfs", "deploy/serve/requirements.txt"])
def test_the_image_copies_existing_folders(folder: str) -> None:
    assert f"COPY {folder}" in (FOLDER / "Dockerfile").read_text(encoding="utf-8")
    assert (ROOT / folder).exists()
