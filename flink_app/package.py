"""`millirec package`: everything `flink run` needs, as one archive.

In: the folders `flink_app` and `udfs`, and a loaded configuration. Out: a ZIP archive with both,
the kernels compiled for this machine's processor, `main.py`, `millirec.toml` (what differs from
the defaults, without secrets) and `README.txt`. `flink_app.main` reads that configuration if no
other is given.
"""

from __future__ import annotations

import io
import shlex
import sys
import zipfile
from collections.abc import Callable, Mapping
from pathlib import Path

from flink_app import __version__
from flink_app.config import Loaded, experiments, rules
from flink_app.config.load import DEFAULT
from flink_app.config.masking import masked
from flink_app.config.paths import refusal
from flink_app.config.registry import OPTIONS
from flink_app.config.values import toml
from flink_app.config.writable import require_file, write_file
from udfs.errors import ConfigError, ServiceError
from udfs.learning.item_shard import ItemShard
from udfs.learning.learner import Learner
from udfs.models.settings import Settings

CONFIG = "millirec.toml"
"""The configuration's name in the archive."""

_ROOT = Path(__file__).resolve().parent.parent
_PACKAGES = ("flink_app", "udfs")
_DATE = (1980, 1, 1, 0, 0, 0)  # fixed, so that the same sources give the same bytes

_UNFIT = ",:;'"

_MAIN = '''\
"""The job's entry point for `flink run -py`; the code is in millirec-job.zip (-pyfs)."""

from flink_app.main import main

main()
'''

_README = """\
millirec {version}: a job for a Flink 2.3 cluster

Each machine of the cluster, and the one that submits the job, needs Python 3.10 to 3.12 with
    pip install 'apache-flink==2.3.0' 'numba>=0.62' 'msgspec>=0.19' 'redis>=5.1,<6' 'hiredis>=3'
and in Flink's lib/: opt/flink-python-2.3.0.jar and, for Kafka, flink-sql-connector-kafka-5.0.0-2.2.
Flink's config.yaml needs python.execution-mode: thread, python.executable, python.pythonpath (its
site-packages) and one slot per TaskManager.

Submit, with as many subtasks as there are TaskManagers:
    flink run -d -p 2 -pyfs {name} -pym flink_app.main

With other values than those in this archive's {config}:
    flink run -d -p 2 -pyfs {name} -pym flink_app.main --config my.toml --set lists.length=50

From a savepoint or a checkpoint:
    flink run -d -s file:///path/of/savepoint -p 2 -pyfs {name} -pym flink_app.main

The kernels are compiled for the processor and the Python of the machine that made this archive. On
others each TaskManager compiles them at its first start, which takes a minute or two.

With the script extracted from this archive instead of its module:
    unzip {name} main.py && flink run -d -p 2 -py main.py -pyfs {name}

{secrets}"""


def write(
    out: Path, loaded: Loaded, compile_first: Callable[[Settings], None] = lambda _: None
) -> list[str]:
    """Write the archive to `out`, replacing it, and return lines to print.

    Args:
        compile_first: called before the kernels are loaded, to compile them faster than that does.

    Raises:
        ConfigError, ServiceError: it cannot be written, or Flink could not read an archive of
            that name.
    """
    if reason := _unfit(out):
        raise ConfigError(f"{str(out)!r} {reason}: name another file with --out")
    require_file(out, "--out")
    config, left_out = configuration(loaded)
    readme = _README.format(
        version=__version__,
        name=shlex.quote(out.name),
        config=CONFIG,
        secrets=_about_secrets(left_out),
    )
    texts = {"main.py": _MAIN, CONFIG: config, "README.txt": readme}
    contents = {name: text.encode() for name, text in texts.items()}
    compile_first(loaded.config.settings)
    code = [file for package in _PACKAGES for file in sorted((_ROOT / package).rglob("*.py"))]
    for file in code + kernels(loaded):
        contents[file.relative_to(_ROOT).as_posix()] = file.read_bytes()
    try:
        write_file(out, _archive(contents))
    except OSError as error:
        raise ServiceError(
            f"{out} cannot be written: {error.strerror}. Name another file with --out."
        ) from error
    given = shlex.quote(str(out))
    return [
        f"{out}: {len(contents)} files, {out.stat().st_size:,} bytes",
        f"submit it:  flink run -d -pyfs {given} -pym flink_app.main",
        f"more:       unzip -p {given} README.txt",
        _about_secrets(left_out).rstrip(),
    ]


def _archive(contents: Mapping[str, bytes]) -> bytes:
    """The same bytes for the same contents."""
    made = io.BytesIO()
    with zipfile.ZipFile(made, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, data in contents.items():
            info = zipfile.ZipInfo(name, _DATE)
            info.external_attr = 0o644 << 16
            archive.writestr(info, data, zipfile.ZIP_DEFLATED)
    return made.getvalue()


def _unfit(out: Path) -> str:
    """Why `flink run -pyfs` could not take an archive of this name; "" if it can.

    >>> _unfit(Path("my job.zip")), _unfit(Path("a,b.zip"))
    ('', "has ',' in its path, with which flink run does not find it")
    """
    if reason := refusal(out):
        return f"has {reason}"
    for sign in _UNFIT:
        if sign in (str(out) if sign in ",:" else out.name):
            return f"has {sign!r} in its path, with which flink run does not find it"
    return "" if out.suffix == ".zip" else "does not end in .zip, by which flink run knows archives"


def kernels(loaded: Loaded) -> list[Path]:
    """Numba's files of the kernels, compiled now if necessary: without them each TaskManager would
    compile at its start. Empty if the code is read-only, since Numba keeps them elsewhere then."""
    learner = loaded.config.settings
    Learner(learner).compile()
    ItemShard.compile(learner)
    return compiled(_ROOT / "udfs")


def compiled(package: Path) -> list[Path]:
    """Numba's files for this Python version, of a package and its sub-packages."""
    python = f"py{sys.version_info.major}{sys.version_info.minor}"
    return sorted(package.rglob(f"__pycache__/*.{python}*.nb[ci]"))


def configuration(loaded: Loaded) -> tuple[str, list[str]]:
    """The configuration as a TOML document, and the names of the secrets left out of it.

    Only options that were set are written, so that the cluster's own settings, such as its state
    backend, still apply.
    """
    lines = [f"# The options that millirec {__version__} was packaged with; others have defaults."]
    left_out = []
    section = ""
    for option in OPTIONS.values():
        value = getattr(getattr(loaded.config, option.section), option.key)
        parts = {option.name: value}
        if option.is_table:
            parts = {f"{option.name}.{entry}": part for entry, part in value.items()}
        for name, part in parts.items():
            if loaded.origins[name] == DEFAULT:
                continue
            if _is_secret(name, part):
                left_out.append(name)
                continue
            if option.section != section:
                section = option.section
                lines.append(f"\n[{section}]")
            key = option.key
            if option.is_table:
                key += "." + toml(name.removeprefix(f"{option.name}."))
            lines.append(f"{key} = {toml(part)}")
    listed = rules.document(loaded.config.rules)
    listed += experiments.document(loaded.config.experiments)
    return "\n".join(lines) + "\n" + listed, left_out


def _is_secret(name: str, value: object) -> bool:
    texts = value if isinstance(value, list) else [value]
    return any(isinstance(text, str) and masked(name, text) != text for text in texts)


def _about_secrets(left_out: list[str]) -> str:
    if not left_out:
        return "The archive holds no secrets.\n"
    return (
        f"The archive holds no secrets, so these are left out: {', '.join(left_out)}. Provide them "
        "when you submit, with --set or in variables such as REDIS_URL and "
        "MILLIREC_REDIS_PASSWORD; they become part of the submitted job.\n"
    )
