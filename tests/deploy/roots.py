"""Carries out the steps of a Dockerfile in a root directory of its own, without a container engine.

In: a Dockerfile. Out: a script for `unshare --mount`, which builds the image in a folder and then
runs a command in it as its user, with a root that cannot be written to. The base image's Python is
this machine's, and `pip` is uv with this machine's cache, so that only what is new is downloaded.
"""

from __future__ import annotations

import os
import re
import shlex
import shutil
import sys
from pathlib import Path
from typing import NamedTuple

ROOT = Path(__file__).resolve().parents[2]
_HOST = ("/usr", "/bin", "/sbin", "/lib", "/lib64", "/etc", "/dev")
# How this machine reaches its registries, which a build is told by arguments of the same names.
_WAY_OUT = re.compile(r"(?i)(UV|PIP)_.*|.*_PROXY|.*CERT.*|.*CA_BUNDLE|MAVEN_MIRROR")
_FROM = re.compile(r"python:3\.1\d-slim")


class Image(NamedTuple):
    """What a Dockerfile says: the script that makes it, and what its containers begin with."""

    build: list[str]
    environment: dict[str, str]
    user: str
    folder: str
    command: str


def parse(dockerfile: Path, root: Path) -> Image:
    """The steps of a Dockerfile, for the instructions that ours use; others raise ValueError."""
    text = re.sub(r"\\\n\s*", " ", dockerfile.read_text(encoding="utf-8"))
    lines = [line for line in text.splitlines() if line.strip() and line[0] != "#"]
    build, environment, user, folder, command = [], {"PATH": _PATH}, "0:0", "/", ""
    for line in lines:
        word, _, rest = line.partition(" ")
        if word == "FROM":
            if not _FROM.fullmatch(rest):
                raise ValueError(f"{dockerfile}: a test knows only python:3.1x-slim, not {rest}")
        elif word == "ARG":
            environment[rest.split("=")[0]] = rest.partition("=")[2]
        elif word == "ENV":
            for name, value in (part.split("=", 1) for part in shlex.split(rest)):
                environment[name] = re.sub(r"\$(\w+)", lambda found: environment[found[1]], value)
        elif word == "COPY":
            *sources, target = rest.split()
            path = Path(f"{root}{Path(folder) / target}")
            build.append(f"mkdir -p {path if target.endswith('/') else path.parent}")
            build += [f"cp -r {ROOT / source} {path}" for source in sources]
        elif word == "RUN":
            build.append(_inside(root, rest, environment, user, folder))
        elif word == "WORKDIR":
            folder = rest
            build.append(f"mkdir -p {root}{folder}")
        elif word == "USER":
            user = rest
        elif word == "CMD":
            command = " ".join(map(shlex.quote, re.findall(r'"([^"]*)"', rest)))
        elif word not in ("EXPOSE", "HEALTHCHECK"):
            raise ValueError(f"{dockerfile}: a test does not know {word}")
    return Image(build, environment, user, folder, command)


def script(image: Image, root: Path, cache: Path, commands: list[str]) -> str:
    """Builds the image and runs commands in it, one after the other, as its user.

    Args:
        root: an empty folder. cache: uv's.
    """
    python, uv, local = sys.base_prefix, Path(sys.prefix) / "bin" / "uv", f"{root}-local"
    base = "/base" if python == "/usr/local" else python
    mounts = {name: name for name in _HOST if Path(name).is_dir()}
    mounts |= {"/usr/local": local, base: python, str(cache): str(cache)}
    lines = ["set -eu", f"mkdir -p {local}", f"mount --bind {root} {root}"]
    for target, source in mounts.items():
        lines += [f"mkdir -p {root}{target}", f"mount --bind {source} {root}{target}"]
        if source not in ("/dev", local, str(cache)):
            lines += [f"mount -o remount,bind,ro {root}{target}"]
    lines += [
        f"mkdir -p {root}/tmp {root}/proc {root}/opt",
        f"mount -t proc proc {root}/proc",
        f"chroot {root} {base}/bin/python3 -m venv --without-pip /usr/local",
        f"cp {uv} {local}/bin/uv",
        f"printf '%s' {shlex.quote(_PIP.format(cache=cache))} > {local}/bin/pip",
        f"chmod +x {local}/bin/pip",
        *(f"{step} >&2" for step in image.build),  # the output is that of the commands alone
    ]
    for folder in ("/tmp", image.folder):
        lines += [f"mount -t tmpfs -o mode=1777 tmpfs {root}{folder}"]
    lines += [f"mount -o remount,bind,ro {root}/usr/local", f"mount -o remount,bind,ro {root}"]
    lines += [_inside(root, one, image.environment, image.user, image.folder) for one in commands]
    return "\n".join(lines) + "\n"


def _inside(root: Path, command: str, environment: dict[str, str], user: str, folder: str) -> str:
    given = {name: value for name, value in os.environ.items() if _WAY_OUT.fullmatch(name)}
    pairs = {**given, **environment}.items()
    names = " ".join(f"{name}={shlex.quote(value)}" for name, value in pairs)
    line = shlex.quote(f"cd {folder} && {command}")
    return f"env -i {names} {shutil.which('chroot')} --userspec={user} {root} /bin/sh -c {line}"


_PATH = "/usr/local/bin:/usr/bin:/bin"
_PIP = """#!/bin/sh
shift
for word; do shift; [ "$word" = --no-cache-dir ] || set -- "$@" "$word"; done
exec uv pip install --quiet --cache-dir {cache} --link-mode copy --python /usr/local/bin/python "$@"
"""
