"""Shows the configuration: what is in force and why, and all that could be.

In: a `Loaded`, or the tree itself. Out: the rows of `millirec config`, the text of
`deploy/millirec.toml` and the text of `docs/configuration.md`; both files are rewritten by
`python -m flink_app.config.render`.
"""

from __future__ import annotations

import inspect
from collections.abc import Iterator
from itertools import groupby
from pathlib import Path
from textwrap import wrap

from flink_app.config.load import Loaded
from flink_app.config.masking import masked
from flink_app.config.registry import OPTIONS, SECTIONS, Option, allowed
from flink_app.config.values import toml

ROOT = Path(__file__).parents[2]
TOML_FILE = ROOT / "deploy" / "millirec.toml"
MARKDOWN_FILE = ROOT / "docs" / "configuration.md"

_TOML_HEAD = """\
# The configuration of millirec: every option, with its default. To set one, take the # away that
# stands before its name and change the value. Tables are added to, entry by entry. What is left
# commented out keeps its default; a variable (MILLIREC_MODEL_DIMENSIONS=64) or --set
# (--set model.dimensions=64) goes over this file. `millirec config` shows what is in force.
"""

_MARKDOWN_HEAD = """\
# Configuration

Every option has a default; set only what you want otherwise. Later wins:

1. the defaults below,
2. a TOML file, such as [`deploy/millirec.toml`](../deploy/millirec.toml), which lists every option,
3. environment variables `MILLIREC_<SECTION>_<OPTION>`; `REDIS_URL` also sets `redis.url`, where
   `MILLIREC_REDIS_URL` does not,
4. `--set section.option=value` on the command line, as often as needed.

```sh
MILLIREC_MODEL_DIMENSIONS=64 millirec run --set source.paths=events.jsonl --set lists.length=50
```

A value in a variable or a `--set` is written as in TOML (`true`, `0.5`, `["a", "b"]`,
`'{view = 0.1}'`); a text needs no quotes, and a list takes a bare word as its only element. Tables
are added to, entry by entry: `--set events.weights.view=0.1` leaves the other weights, and
`--set source.properties.security.protocol=SSL` sets the Kafka property `security.protocol`.

A name that does not exist is an error that suggests the nearest one; a value of the wrong type or
out of range is an error that says what is allowed. `millirec config` prints each value in force and
where it came from; passwords, in URLs too, and secrets among properties are shown as `***`.
"""


def effective(loaded: Loaded) -> list[tuple[str, str, str]]:
    """Each value in force: (name, value as TOML with secrets masked, origin).

    A table option has one row per entry, and a single row `{}` when it is empty.

    >>> from flink_app.config import load
    >>> rows = effective(load(None, ["redis.url=redis://:secret@cache"], {}))
    >>> [row for row in rows if row[0] == "redis.url"]
    [('redis.url', '"redis://:***@cache"', '--set')]
    """
    rows = []
    for option in OPTIONS.values():
        value = getattr(getattr(loaded.config, option.section), option.key)
        named = {option.name: value}
        if option.is_table and value:
            named = {f"{option.name}.{entry}": part for entry, part in value.items()}
        for name, part in named.items():
            rows.append((name, _shown(name, part), loaded.origins[name]))
    return rows


def _shown(name: str, value: object) -> str:
    """Masked before it is quoted: a secret may hold quotes of its own."""
    if isinstance(value, str):
        return toml(masked(name, value))
    if isinstance(value, list):
        return toml([masked(name, item) for item in value])
    return toml(value)


def commented_toml() -> str:
    """A TOML document of every option, commented out, that means the defaults."""
    parts = [_TOML_HEAD]
    for section, options in _by_section():
        parts.append(f"\n# {'-' * 97}\n# {_about(section)}\n[{section}]\n")
        # A table has a header of its own, so whatever follows it would belong to it.
        parts += [_commented(option) for option in sorted(options, key=lambda o: o.is_table)]
    return "".join(parts)


def _commented(option: Option) -> str:
    lines = [f"# {line}" for line in wrap(option.sentence, 97)]
    lines += [f"# {line}" for line in wrap(f"Allowed: {allowed(option.kind)}.", 97)]
    if option.is_table:
        lines.append(f"#[{option.name}]")
        lines += [f"#{entry} = {toml(value)}" for entry, value in option.default.items()]
    else:
        lines.append(f"#{option.key} = {toml(option.default)}")
    return "\n" + "\n".join(lines) + "\n"


def markdown() -> str:
    """The reference of every option, a table per section."""
    parts = [_MARKDOWN_HEAD]
    for section, options in _by_section():
        parts.append(f"\n## [{section}]\n\n{_about(section)}\n\n")
        parts.append("| option | default | allowed | what it does |\n|---|---|---|---|\n")
        for option in options:
            default = toml(option.default).replace("|", "\\|")
            parts.append(
                f"| `{option.key}` | `{default}` | {allowed(option.kind)} | {option.sentence} |\n"
            )
    return "".join(parts)


def _by_section() -> Iterator[tuple[str, Iterator[Option]]]:
    return groupby(OPTIONS.values(), key=lambda option: option.section)


def _about(section: str) -> str:
    return inspect.getdoc(SECTIONS[section]) or ""


def write() -> None:
    """Rewrite the two files that are made from the tree; a test compares them with it."""
    for path, text in ((TOML_FILE, commented_toml()), (MARKDOWN_FILE, markdown())):
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8")


if __name__ == "__main__":
    write()
