"""Paths as people write them, and as Flink reads them.

In: the text of a path or a `file:` URI. Out: an absolute `Path`, and a URI for Flink, whose own
`Path` class decodes no percents: it is the plain path behind `file://`.
"""

from __future__ import annotations

import os
from contextlib import suppress
from pathlib import Path
from urllib.parse import unquote

from udfs.errors import ConfigError


def is_local(text: str) -> bool:
    """Whether a path or URI is of this machine's file system.

    >>> is_local("a:b"), is_local("file:///a"), is_local("s3://bucket/a")
    (True, True, False)
    """
    return text.startswith("file:/") or "://" not in text


def local(text: str | Path) -> Path:
    """The absolute path that a text stands for; `~` is the home folder unless there is a file `~`.

    Percents are decoded in a URI only, and only if nothing has the name that it shows.

    >>> str(local("/a//b%20c")), str(local("file:///a/b%20c"))
    ('/a/b%20c', '/a/b c')
    """
    name = str(text)
    if name.startswith("file:/"):
        name = "/" + name.removeprefix("file:").lstrip("/")
        if not os.path.lexists(name):
            name = unquote(name, errors="surrogateescape")
    path = Path(name)
    if name.startswith("~") and not os.path.lexists(name):
        with suppress(RuntimeError):  # nobody of that name
            path = path.expanduser()
    path = path.absolute()
    # Flink shortens `a/..` by its letters, which is wrong if a is a link.
    path = path.resolve() if ".." in path.parts else path
    return Path("/" + str(path).lstrip("/")) if str(path).startswith("//") else path


def is_inside(path: str, folder: str) -> bool:
    """Whether a path or URI is a folder or in it, links followed.

    >>> is_inside("s3://shop/events/dead/", "s3://shop/events"), is_inside("/a/b", "s3://a")
    (True, False)
    """
    if is_local(path) != is_local(folder):
        return False
    if not is_local(path):
        return f"{path.rstrip('/')}/".startswith(f"{folder.rstrip('/')}/")
    inner, outer = (local(each).resolve() for each in (path, folder))
    return outer == inner or outer in inner.parents


def refusal(path: Path) -> str:
    """Why Flink cannot name a path, as a clause; "" if it can.

    >>> refusal(Path("/a b/ü%20")), refusal(Path("/a\\\\b"))
    ('', 'a backslash, which Flink takes for a slash')
    """
    try:
        os.fspath(path).encode()
    except UnicodeEncodeError:
        return "bytes that are not UTF-8, which Java cannot write"
    return "a backslash, which Flink takes for a slash" if "\\" in str(path) else ""


def flink_uri(text: str | Path, option: str) -> str:
    """The URI that Flink reads as this path; URIs of other file systems stay as they are.

    Raises:
        ConfigError: Flink cannot name the path; the message names the option.
    """
    if isinstance(text, str) and not is_local(text):
        return text
    path = local(text)
    if reason := refusal(path):
        raise ConfigError(
            f"{option} is {str(path)!r}, which has {reason}: rename it, or choose another path"
        )
    return f"file://{path}"
