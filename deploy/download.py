"""Downloads pinned files: the jars that Flink and Kafka need, and the network that reads texts.

In: `deploy/jars.ini` (Maven coordinates and SHA-256) and a cache folder. Out: the paths of the
jars in that folder (`list[Path]`), each with the pinned content. Once the cache holds them all, the
network is not used. MAVEN_MIRROR replaces Maven Central by another Maven repository.
"""

from __future__ import annotations

import hashlib
import http.client
import os
import tempfile
import urllib.error
import urllib.request
from collections.abc import Callable, Iterable, Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from configparser import ConfigParser
from pathlib import Path
from typing import NamedTuple

from udfs.errors import ServiceError

PINS = Path(__file__).with_name("jars.ini")
CACHE = Path(".local/jars")
MAVEN_CENTRAL = "https://repo.maven.apache.org/maven2"
TIMEOUT_SECONDS = 60
_CHUNK = 1 << 16  # bytes per read


class Jar(NamedTuple):
    """A pinned jar.

    >>> Jar("org.slf4j", "slf4j-api", "1.7.36", "d3ef").path
    'org/slf4j/slf4j-api/1.7.36/slf4j-api-1.7.36.jar'
    """

    group: str
    artifact: str
    version: str
    sha256: str
    classifier: str = ""
    """Which of several jars of that version, such as `native`."""
    ending: str = "jar"
    """How the file ends, if it is no jar, such as `tar.gz`."""

    @property
    def name(self) -> str:
        """The file's name, in a repository and in the cache."""
        parts = filter(None, (self.artifact, self.version, self.classifier))
        return f"{'-'.join(parts)}.{self.ending}"

    @property
    def path(self) -> str:
        """The file's path below the root of any Maven repository."""
        return f"{self.group.replace('.', '/')}/{self.artifact}/{self.version}/{self.name}"


def pinned(*uses: str) -> list[Jar]:
    """The jars of sections of jars.ini, such as `flink` (Flink's lib folder), `kafka` (the broker)
    or `minilm` (the network that reads texts)."""
    # Only "=" is a delimiter, since names contain colons; their case matters.
    pins = ConfigParser(delimiters=("=",), interpolation=None)
    pins.optionxform = str  # type: ignore[assignment, method-assign]
    pins.read(PINS, encoding="utf-8")
    jars = []
    for coordinates, sha256 in (pin for use in uses for pin in pins[use].items()):
        named, _, ending = coordinates.partition("@")
        group, artifact, version, *classifier = named.split(":")
        jar = Jar(group, artifact, version, sha256, *classifier)
        jars.append(jar._replace(ending=ending) if ending else jar)
    return jars


def fetch(jars: Iterable[Jar], folder: Path = CACHE) -> list[Path]:
    """The paths of `jars` in `folder`, after downloading those that are missing or damaged.

    Raises `ServiceError` if the repository does not answer or serves a different file. Complete
    jars are kept, so that the next call only downloads the rest.
    """
    folder.mkdir(parents=True, exist_ok=True)
    # There are many small files, so most of the time is spent waiting for the repository.
    with ThreadPoolExecutor(max_workers=6) as pool:
        return list(pool.map(lambda jar: fetch_one(jar, folder), jars))


def fetch_one(jar: Jar, folder: Path, on_bytes: Callable[[int], None] = lambda read: None) -> Path:
    """The path of one jar in an existing folder; see `fetch`. `on_bytes`: see `save`."""
    target = folder / jar.name
    if target.is_file() and hashlib.sha256(target.read_bytes()).hexdigest() == jar.sha256:
        return target
    base = os.environ.get("MAVEN_MIRROR") or MAVEN_CENTRAL
    advice = (
        "go online and run it again (complete jars are kept), or set MAVEN_MIRROR to the root of "
        "a Maven repository that can be reached."
    )
    save(f"{base.rstrip('/')}/{jar.path}", target, {"sha256": jar.sha256}, advice, on_bytes)
    return target


def save(
    url: str,
    target: Path,
    pins: Mapping[str, str],
    advice: str,
    on_bytes: Callable[[int], None] = lambda read: None,
) -> None:
    """Download a pinned file; `target` is then complete, or unchanged after an error.

    Args:
        pins: hexadecimal checksums of the content by algorithm, such as sha256: all must agree.
        advice: what to do if the address cannot be reached.
        on_bytes: called with the number of bytes read so far.

    Raises:
        ServiceError: the address does not answer, or serves a different file.
    """
    hashes = {kind: hashlib.new(kind, usedforsecurity=False) for kind in pins}
    handle, name = tempfile.mkstemp(dir=target.parent, prefix=f".{target.name}.")
    part = Path(name)
    try:
        with os.fdopen(handle, "wb") as file:
            for chunk in _chunks(url, advice):
                file.write(chunk)
                for found in hashes.values():
                    found.update(chunk)
                on_bytes(file.tell())
        for kind, found in hashes.items():
            if found.hexdigest() != pins[kind]:
                raise ServiceError(
                    f"{url} is not the pinned file: its {kind} is {found.hexdigest()}, but should "
                    f"be {pins[kind]}. Try again; if that does not help, do not use the file."
                )
        # Renamed once complete, so that readers and other downloads never see a partial file.
        part.chmod(0o644)
        part.replace(target)
    finally:
        part.unlink(missing_ok=True)


def _chunks(url: str, advice: str) -> Iterator[bytes]:
    try:
        with urllib.request.urlopen(url, timeout=TIMEOUT_SECONDS) as answer:
            while chunk := answer.read(_CHUNK):
                yield chunk
    except urllib.error.HTTPError as error:
        error.close()
        raise ServiceError(f"{url} answered {error.code} {error.reason}: {advice}") from error
    except (OSError, ValueError, http.client.HTTPException) as error:
        reason = getattr(error, "reason", error)
        raise ServiceError(f"could not fetch {url} ({reason}): {advice}") from error
