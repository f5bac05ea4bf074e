"""Reads the documents: their fenced blocks, the files given in them, their links."""

from __future__ import annotations

import re
from pathlib import Path
from typing import NamedTuple

ROOT = Path(__file__).resolve().parent.parent
DOCUMENTS = sorted(
    [*ROOT.glob("*.md")]
    + [path for top in ("docs", "deploy", "examples") for path in (ROOT / top).rglob("*.md")]
)

_BLOCK = re.compile(r"(?:<!-- file: (\S+) -->\n)?^```(\w*)\n(.*?)^```$", re.MULTILINE | re.DOTALL)
_LINK = re.compile(r"\]\((?!https?:)([^)\s]+)\)")


class Block(NamedTuple):
    """A fenced block: its language, its text, and the name of the file that it stands for."""

    language: str
    text: str
    file: str


def blocks(document: Path) -> list[Block]:
    """All fenced blocks of a document."""
    found = _BLOCK.findall(document.read_text(encoding="utf-8"))
    return [Block(language, text, file) for file, language, text in found]


def commands(document: Path) -> list[str]:
    """Each line of the shell blocks, without comments."""
    lines = [
        line.partition("  #")[0].strip()
        for block in blocks(document)
        if block.language == "sh"
        for line in block.text.splitlines()
    ]
    return [line for line in lines if line]


def links(document: Path) -> list[str]:
    """The relative links of a document."""
    return _LINK.findall(document.read_text(encoding="utf-8"))


def anchors(document: Path) -> set[str]:
    """The anchors of a document's headings, as the usual viewers make them."""
    headings = re.findall(r"^#+ (.+)$", document.read_text(encoding="utf-8"), re.MULTILINE)
    words = (re.sub(r"[^\w\- ]", "", heading.lower()) for heading in headings)
    return {word.strip().replace(" ", "-") for word in words}
