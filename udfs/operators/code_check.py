"""Keeps a job from running with another version's code, which a TaskManager may still have loaded.

In: an operator, pickled where the job is submitted and unpickled in a TaskManager. Out: the same
operator, or a ServiceError if the code loaded there is not the job's: in thread mode all jobs of a
TaskManager share one interpreter, which keeps the modules that it imported first.
"""

from __future__ import annotations

import pickle
from collections.abc import Iterator
from hashlib import sha256
from importlib.resources import files
from typing import TYPE_CHECKING, Any

from udfs.errors import ServiceError

if TYPE_CHECKING:
    from importlib.abc import Traversable  # its place in 3.10


def digest(package: Traversable) -> str:
    """A digest of the sources of a package and its sub-packages, in a folder or an archive."""
    found = sha256()
    for path, data in sorted(_sources(package)):
        found.update(path.encode() + b"\0" + data + b"\0")
    return found.hexdigest()[:12]


def _sources(folder: Traversable, path: str = "") -> Iterator[tuple[str, bytes]]:
    for file in folder.iterdir():
        if file.is_dir():
            yield from _sources(file, f"{path}{file.name}/")
        elif file.name.endswith(".py"):
            yield path + file.name, file.read_bytes()


DIGEST = digest(files("udfs"))
"""The digest of the sources as they were when this interpreter imported them."""


class CodeChecked:
    """Base of an operator that is pickled with the digest of its code, which is compared before
    the rest is unpickled."""

    def __reduce__(self) -> tuple[Any, ...]:
        return unpack, (DIGEST, pickle.dumps((type(self), self.__dict__)))


def unpack(digest: str, operator: bytes) -> Any:
    """The operator that was pickled with the sources of `digest`.

    Raises:
        ServiceError: the sources here differ.
    """
    if digest != DIGEST:
        raise ServiceError(
            f"the job was submitted with other code (sources {digest}) than its operators have "
            f"here ({DIGEST}): a TaskManager keeps the version that it has loaded first. Restart "
            "the TaskManagers; if they are new, submit the job with the code of its archive."
        )
    kind, attributes = pickle.loads(operator)
    made = kind.__new__(kind)
    made.__dict__.update(attributes)
    return made
