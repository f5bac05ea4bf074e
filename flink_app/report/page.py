"""A report as HTML: one file that loads nothing and runs nothing, light or dark, for any screen.

In: a `Page`. Out: its HTML (`str`). Every text is escaped; only figures are inserted as they are.
"""

from __future__ import annotations

from importlib.util import find_spec
from pathlib import Path
from typing import Literal

import msgspec

from flink_app.report.drawings import Drawing, Line
from udfs.errors import ConfigError

_TEMPLATE = Path(__file__).with_name("page.html")


class Tile(msgspec.Struct, frozen=True):
    """A number at the top of the page; `note` says what it is compared with."""

    label: str
    value: str
    note: str = ""


class Grid(msgspec.Struct, frozen=True):
    """A table; the first column is text, the others are numbers."""

    head: list[str]
    rows: list[list[str]]


class Section(msgspec.Struct, frozen=True, kw_only=True):
    """A part of the page: an alarm, what it comes to, an explanation, a picture with its legend, a
    table."""

    title: str
    alarm: str = ""
    facts: list[str] = []
    text: str = ""
    figure: Drawing | None = None
    legend: list[Line] = []
    grid: Grid | None = None
    width: Literal["half", "full"] = "half"


class Page(msgspec.Struct, frozen=True, kw_only=True):
    """The whole report."""

    title: str
    subtitle: str
    tiles: list[Tile]
    sections: list[Section]
    made: str


def check_packages() -> None:
    """Check that the packages a report needs are installed.

    Raises:
        ConfigError: one is missing.
    """
    missing = [name for name in ("matplotlib", "jinja2") if find_spec(name) is None]
    if missing:
        raise ConfigError(
            f"a report needs {' and '.join(missing)}, which is not installed: pip install "
            "'matplotlib>=3.9' 'jinja2>=3.1', or install millirec with the extra '.[plot]'"
        )


def html(page: Page) -> str:
    """The page as HTML."""
    from jinja2 import Environment, StrictUndefined

    from flink_app.report.figures import svg

    environment = Environment(
        autoescape=True, undefined=StrictUndefined, trim_blocks=True, lstrip_blocks=True
    )
    environment.filters["svg"] = svg
    return environment.from_string(_TEMPLATE.read_text(encoding="utf-8")).render(page=page)
