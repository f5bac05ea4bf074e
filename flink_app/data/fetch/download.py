"""`millirec fetch`: shows who owns a data set, then downloads, checks and unpacks it.

In: a `DataSet` and a folder. Out: the files of its archive in that folder.
"""

from __future__ import annotations

import shlex
import shutil
import tempfile
import zipfile
from pathlib import Path, PurePosixPath

from rich.console import Console
from rich.progress import TransferSpeedColumn

from deploy.download import save
from flink_app.console.progress import byte_bar
from flink_app.data.fetch.datasets import DataSet
from udfs.errors import ConfigError, ServiceError


def fetch(data: DataSet, out: Path | None = None, console: Console | None = None) -> Path:
    """Put the data set into `out`, by default data/<name>, unless it is there already.

    Returns the path of its events.

    Raises:
        ConfigError: the folder holds something else. ServiceError: the archive cannot be fetched,
            is not the pinned one, or cannot be unpacked.
    """
    console = console or Console(highlight=False)
    folder = out or Path("data") / data.name
    events = folder / data.events
    for line in terms_of(data):
        console.print(line)
    if events.is_file():
        console.print(f"{folder} already holds it: delete that folder to fetch it again")
    elif folder.exists() and (not folder.is_dir() or any(folder.iterdir())):
        raise ConfigError(f"{folder} exists and holds something else: name another with --out")
    else:
        _download(data, folder)
        console.print(f"checked by SHA-256 and MD5, unpacked to {folder}")
    for readme in sorted(folder.glob("README*")):
        console.print(f"terms in full: {readme}")
    console.print("next:", *commands_for(data, events), sep="\n  ", soft_wrap=True)
    return events


def terms_of(data: DataSet) -> list[str]:
    """Who owns the data, and what its licence allows."""
    return [
        f"{data.name}: {data.about}",
        f"collected by {data.owner}, {data.page}",
        data.terms,
        f"cite: {data.cite}",
    ]


def commands_for(data: DataSet, events: Path) -> list[str]:
    """The commands that read it."""
    path = shlex.quote(str(events))
    return [
        f"millirec {command} {path} --preset {data.preset}"
        for command in ("validate", "run", "evaluate")
    ] + [f"millirec items {shlex.quote(str(events.with_name(data.items)))} --to inbox/"]


def _download(data: DataSet, folder: Path) -> None:
    """Put the archive's files into `folder`, all of them or none."""
    try:
        folder.parent.mkdir(parents=True, exist_ok=True)
        work = Path(tempfile.mkdtemp(dir=folder.parent, prefix=f".{folder.name}."))
    except OSError as error:
        raise ServiceError(
            f"{folder} cannot be written: {error.strerror}. Name another folder with --out."
        ) from error
    try:
        archive, files = work / "archive.zip", work / "files"
        advice = f"go online, or fetch it by other means from {data.page} and unpack it."
        err = Console(stderr=True)
        with byte_bar(err, data.url, data.size, TransferSpeedColumn()) as on_bytes:
            save(data.url, archive, data.pins, advice, on_bytes)
        unpack(archive, data.top, files)
        if folder.is_dir():
            folder.rmdir()  # it is empty
        files.replace(folder)
    except OSError as error:
        raise ServiceError(f"{folder} cannot be written: {error.strerror or error}") from error
    finally:
        shutil.rmtree(work, ignore_errors=True)


def unpack(archive: Path, top: str, folder: Path) -> None:
    """Write the files in the folder `top` of an archive into `folder`, and no others.

    Raises:
        ServiceError: it is not an archive, or a name in it leads out of the folder.
    """
    folder.mkdir()
    try:
        with zipfile.ZipFile(archive) as opened:
            for member in opened.infolist():
                name = PurePosixPath(member.filename)
                if member.is_dir() or name.parts[0] != top:
                    continue
                if ".." in name.parts or "\\" in member.filename:
                    raise ServiceError(f"the archive holds a file named {member.filename!r}")
                target = folder.joinpath(*name.parts[1:])
                target.parent.mkdir(parents=True, exist_ok=True)
                with opened.open(member) as source, target.open("wb") as out:
                    shutil.copyfileobj(source, out)
    except (zipfile.BadZipFile, NotImplementedError, EOFError) as error:
        raise ServiceError(f"the archive cannot be unpacked: {error}") from error
