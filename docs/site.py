"""What the site needs beside MkDocs: the files that the pages link to, and the list of decisions.

In: the pages below docs/, which link to sources and to other READMEs. Out: a page in the site for
each of these, below source/, and links that lead there, so that the site is whole by itself.
"""

from __future__ import annotations

import posixpath
import re
from pathlib import Path
from typing import Any

from mkdocs.structure.files import File, Files

ROOT = Path(__file__).resolve().parents[1]
_LINK = re.compile(r"\[((?:[^\[\]]|\[[^\]]*\])*)\]\((?!https?:)([^)#\s]+)(#[^)\s]*)?\)")
_HIDDEN = "---\nsearch:\n  exclude: true\n---\n"


def on_config(config: Any) -> Any:
    """Put every decision into the navigation."""
    folder = Path(config.docs_dir) / "decisions"
    for entry in config.nav:
        if entry.get("Decisions") == "decisions/":
            entry["Decisions"] = [f"decisions/{page.name}" for page in sorted(folder.glob("*.md"))]
    return config


def on_files(files: Files, config: Any) -> Files:
    """Add a page for each file outside docs/ that a page links to, and for those that it links."""
    waiting = [f"docs/{file.src_uri}" for file in files.documentation_pages()]
    seen = set(waiting)
    while waiting:
        path = waiting.pop()
        text = (ROOT / path).read_text(encoding="utf-8")
        if not path.startswith("docs/"):
            files.append(File.generated(config, _uri(path), content=_page(path, text)))
        if path.endswith(".md"):
            found = {_target(path, link) for _, link, _ in _LINK.findall(text)} - seen
            waiting += [path for path in found if (ROOT / path).is_file() and not _is_own(path)]
            seen |= found
    return files


def on_page_markdown(markdown: str, page: Any, **_: Any) -> str:
    """Let links that lead out of docs/ lead to the pages for what is there; folders have none."""
    uri = page.file.src_uri
    path = uri.removeprefix("source/") if uri.startswith("source/") else f"docs/{uri}"

    def moved(link: re.Match[str]) -> str:
        target = _target(path, link[2])
        if not (ROOT / target).is_file():
            return link[1]
        place = posixpath.relpath(_uri(target), posixpath.dirname(uri) or ".")
        return f"[{link[1]}]({place}{link[3] or ''})"

    return _LINK.sub(moved, markdown)


def _target(path: str, link: str) -> str:
    """The file that a link of the file at `path` leads to, both below the root."""
    return posixpath.normpath(posixpath.join(posixpath.dirname(path), link))


def _is_own(path: str) -> bool:
    """Whether MkDocs itself brings a file that is no page, such as a picture."""
    return path.startswith("docs/") and not path.endswith((".md", ".py"))


def _uri(path: str) -> str:
    """Where a file of the repository stands in the site."""
    if path.startswith("docs/"):
        return path.removeprefix("docs/")
    return f"source/{path}" if path.endswith(".md") else f"source/{path}.md"


def _page(path: str, text: str) -> str:
    if path.endswith(".md"):
        return _HIDDEN + text
    language = {".py": "python", ".yml": "yaml"}.get(Path(path).suffix, Path(path).suffix[1:])
    return f"{_HIDDEN}# {path}\n\n~~~~{language}\n{text}~~~~\n"
