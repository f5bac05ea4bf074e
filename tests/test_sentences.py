"""What sentences in the code tell a person to write is there: options, commands and their flags."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from pathlib import Path

import pytest

from flink_app.commands.every import app
from flink_app.config.registry import OPTIONS
from flink_app.config.removed import REMOVED
from flink_app.config.tree import Config
from tests.documents import ROOT

SOURCES = sorted(
    path for top in ("udfs", "flink_app", "deploy") for path in (ROOT / top).rglob("*.py")
)
SECTIONS = "|".join(Config.__struct_fields__)
FILES = "csv|jsonl?|log|onnx|zip|jar|html|toml|tsv"
NAMED = re.compile(rf"(?<![\w/.-])({SECTIONS})\.(?!(?:{FILES})\b)([a-z_]+)(?![\w/(])")
SET = re.compile(r"--set '?([a-z]+\.[a-z_]+)")


def texts(path: Path) -> Iterator[str]:
    """The strings of a module that people may see: no docstrings; values of f-strings are …"""
    tree = ast.parse(path.read_text(encoding="utf-8"))
    nodes = (node for node in ast.walk(tree) if hasattr(node, "body"))
    first = (node.body[0] for node in nodes if isinstance(node.body, list) and node.body)
    docs = {id(one.value) for one in first if isinstance(one, ast.Expr)}
    joined = [node for node in ast.walk(tree) if isinstance(node, ast.JoinedStr)]
    known = docs | {id(part) for node in joined for part in node.values}
    for node in joined:
        parts = (part.value if isinstance(part, ast.Constant) else "…" for part in node.values)
        yield "".join(map(str, parts))
    for node in ast.walk(tree):
        if isinstance(node, ast.Constant) and isinstance(node.value, str) and id(node) not in known:
            yield node.value


@pytest.mark.parametrize("path", SOURCES, ids=lambda path: str(path.relative_to(ROOT)))
def test_options_and_commands_in_sentences_exist(path: Path) -> None:
    commands = {name for name in app if not name.startswith("-")}
    for text in texts(path):
        if " " not in text or path.name == "removed.py":
            continue
        for name in SET.findall(text):
            assert name in OPTIONS or name == "section.option", text
        for section, key in NAMED.findall(text):
            assert f"{section}.{key}" in OPTIONS or f"{section}.{key}" in REMOVED, text
        for command in re.findall(r"`millirec ([a-z]+(?:-[a-z]+)*)", text):
            assert command in commands, text
