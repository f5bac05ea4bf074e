"""The image's steps work, and the demo runs in it as its user, who may write to almost nothing."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from tests.deploy.roots import ROOT, parse, script

DOCKERFILE = ROOT / "deploy" / "image" / "Dockerfile"


def test_an_unknown_instruction_is_not_passed_over(tmp_path: Path) -> None:
    for text in ("FROM debian\n", "FROM python:3.12-slim\nADD x /y\n"):
        (tmp_path / "Dockerfile").write_text(text)
        with pytest.raises(ValueError, match="a test"):
            parse(tmp_path / "Dockerfile", tmp_path)


@pytest.mark.stack
def test_the_demo_runs_in_a_root_that_cannot_be_written_to(tmp_path: Path) -> None:
    tools = all(map(shutil.which, ("unshare", "chroot")))
    if sys.platform != "linux" or os.geteuid() or not tools:
        pytest.skip("only root may make a root directory, with unshare and chroot")
    root = tmp_path / "root"
    root.mkdir()
    image = parse(DOCKERFILE, root)
    cache = Path(os.environ.get("XDG_CACHE_HOME", Path.home() / ".cache")) / "uv"
    cache.mkdir(parents=True, exist_ok=True)
    commands = [
        "! touch /opt/x /usr/local/x /x && id -u && touch /tmp/x",
        f"DEMO_SECONDS=20 DEMO_HOST=127.0.0.1 {image.command}",
    ]
    done = subprocess.run(
        ["unshare", "--mount", "--pid", "--fork", "bash"],
        input=script(image, root, cache, commands),
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stdout[-2000:] + done.stderr[-2000:]
    assert done.stdout.startswith("9999\n")
    assert re.search(r"http://127.0.0.1:\d+", done.stdout), done.stdout[-2000:]
    home = root / "opt" / "flink"
    assert {"bin", "conf", "lib", "opt", "java"} <= {path.name for path in home.iterdir()}
