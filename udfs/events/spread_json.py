"""JSON whose objects go over several lines, as programs print it for people.

In: the lines of a file. Out: lines that hold one object each.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Iterator

_TOKEN = re.compile(r'"(?:[^"\\]|\\.)*"?|[{}\[\]]|[^"{}\[\]]+')


def is_spread(head: str) -> bool:
    """Whether text is JSON whose objects go over several lines, by its beginning.

    >>> is_spread('{"a": 1}\\n{"a": 2}\\n'), is_spread('[{"a": 1},\\n {"a": 2}]')
    (False, False)
    >>> is_spread('{\\n "a": 1\\n}\\n'), is_spread('[\\n {\\n "a": 1\\n }\\n]')
    (True, True)
    """
    text = head.lstrip("\ufeff \t\r\n")
    if text.startswith("["):
        text = text[1:].lstrip()
    if not text.startswith("{"):
        return False
    line, feed, _ = text.partition("\n")
    if not feed:
        return False
    if line.strip() == "{":
        return True
    try:
        return json.JSONDecoder().raw_decode(text)[1] > len(line)
    except (ValueError, RecursionError):
        return False  # a damaged line, or a damaged object, which is no reason to join lines


def objects(lines: Iterable[list[str]]) -> Iterator[list[str]]:
    """Each object of JSON as one line, and what lies between them, if it is more than commas and
    the brackets of an array around them, as lines of its own."""
    depth = 0
    parts: list[str] = []
    for block in lines:
        found: list[str] = []
        for line in block:
            for token in _TOKEN.findall(line):
                if depth == 0 and token in "[]":
                    token = ","
                elif token in "{[":
                    if depth == 0:
                        found += _between(parts)
                        parts = []
                    depth += 1
                parts.append(token)
                if depth and token in "}]":
                    depth -= 1
                    if depth == 0:
                        found.append("".join(parts))
                        parts = []
            parts.append(" ")  # for the line feed
        yield found
    yield ["".join(parts)] if depth else _between(parts)


def _between(parts: list[str]) -> list[str]:
    text = "".join(parts).strip(", \t\r")
    return [text] if text else []
