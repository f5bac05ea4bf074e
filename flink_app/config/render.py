"""Shows the configuration: the values in force with their origins, and all options.

In: a `Loaded`, or the tree itself. Out: the rows of `millirec config`, and the texts of
`deploy/millirec.toml`, `docs/configuration.md` (what a shop sets) and
`docs/configuration-expert.md` (all others); `python -m flink_app.config.render` rewrites the files.
"""

from __future__ import annotations

import inspect
from collections.abc import Iterator
from itertools import groupby
from pathlib import Path
from textwrap import wrap

from flink_app.config import experiments, rules
from flink_app.config.load import Loaded
from flink_app.config.masking import masked
from flink_app.config.registry import OPTIONS, SECTIONS, Option, allowed
from flink_app.config.values import toml

ROOT = Path(__file__).parents[2]
TOML_FILE = ROOT / "deploy" / "millirec.toml"
USUAL_FILE = ROOT / "docs" / "configuration.md"
EXPERT_FILE = ROOT / "docs" / "configuration-expert.md"

_TOML_HEAD = """\
# The configuration of millirec: every option with its default, in each section those first that a
# shop usually sets. To set an option, remove the # before its name and change the value. Entries of
# a table are added to the default ones. Options that stay commented out keep their defaults. A
# variable (MILLIREC_MODEL_DIMENSIONS=64) and --set (--set model.dimensions=64) take precedence over
# this file. `millirec config` shows the values in force.
"""

_MARKDOWN_HEAD = """\
# Configuration

Every option has a default, so set only what you want to change. A shop that reads its events from
Kafka sets about this much, in a file that it passes as `--config shop.toml`:

```toml
[source]
kind = "kafka"
brokers = "kafka-1:9092,kafka-2:9092"
topic = "clicks"

[events.weights]
purchase = 3.0          # the other types keep their weights

[lists]
length = 50

[redis]
url = "redis://cache:6379/0"
prefix = "shop:"

[state]
checkpoints = "s3://shop/checkpoints"

[job]
shards = 4              # as many as the subtasks the job may ever have
item_shards = 4
```

```sh
millirec run --config shop.toml
MILLIREC_MODEL_DIMENSIONS=64 millirec run --set source.paths=events.jsonl --set lists.length=50
```

Each of these takes precedence over the ones before it:

1. the defaults,
2. a TOML file; [`deploy/millirec.toml`](../deploy/millirec.toml) lists every option,
3. environment variables `MILLIREC_<SECTION>_<OPTION>`, and `REDIS_URL` for `redis.url` unless
   `MILLIREC_REDIS_URL` is set,
4. `--set section.option=value` on the command line, as often as needed.

In a variable or a `--set`, write a value as in TOML (`true`, `0.5`, `["a", "b"]`,
`'{view = 0.1}'`). A text needs no quotes, and a single word is enough for a list of one. Entries of
a table are added to the default ones: `--set events.weights.view=0.1` keeps the other weights, and
`--set source.properties.security.protocol=SSL` sets the Kafka property `security.protocol`.

A name that does not exist is an error that suggests the most similar one; a value of the wrong type
or out of range is an error that says what is allowed. `millirec config` prints each value in force
and where it comes from. Passwords, also those in URLs, and secrets among properties are shown as
`***`.

The options below are those that shops usually set. All others are on the
[page for experts](configuration-expert.md); their defaults suit most shops, and
[tuning](tuning.md) says when another value helps.
"""

_EXPERT_HEAD = """\
# Configuration for experts

All options beyond those that [shops usually set](configuration.md), which also explains how options
are set. Their defaults suit most shops; [tuning](tuning.md) has measurements of what other values
gain and cost.
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
    config, origins = loaded.config, loaded.origins
    rows += rules.rows(config.rules, origins[rules.NAME])
    return rows + experiments.rows(config.experiments, origins[experiments.NAME])


def _shown(name: str, value: object) -> str:
    """Masked before it is quoted: a secret may contain quotes."""
    if isinstance(value, str):
        return toml(masked(name, value))
    if isinstance(value, list):
        return toml([masked(name, item) for item in value])
    return toml(value)


def commented_toml() -> str:
    """A TOML document of every option, commented out: as it is, it sets nothing."""
    parts = [_TOML_HEAD]
    for section, options in _by_section():
        parts.append(f"\n# {'-' * 97}\n# {_about(section)}\n[{section}]\n")
        # A table comes last: it has a header of its own, and what follows would belong to it.
        order = sorted(options, key=lambda option: (option.is_table, not option.usual))
        parts += [_commented(option) for option in order]
    return "".join([*parts, rules.commented_toml()])


def _commented(option: Option) -> str:
    lines = [f"# {line}" for line in wrap(option.sentence, 97)]
    lines += [f"# {line}" for line in wrap(f"Allowed: {allowed(option.kind)}.", 97)]
    if option.is_table:
        lines.append(f"#[{option.name}]")
        lines += [f"#{entry} = {toml(value)}" for entry, value in option.default.items()]
    else:
        lines.append(f"#{option.key} = {toml(option.default)}")
    return "\n" + "\n".join(lines) + "\n"


def usual_page() -> str:
    """How to set options, and those that shops usually set, a table per section."""
    return _MARKDOWN_HEAD + _tables(usual=True) + rules.page()


def expert_page() -> str:
    """All other options, a table per section."""
    return _EXPERT_HEAD + _tables(usual=False)


def _tables(*, usual: bool) -> str:
    parts = []
    for section, options in _by_section():
        shown = [option for option in options if option.usual == usual]
        if shown:
            parts.append(f"\n## [{section}]\n\n{_about(section)}\n\n")
            parts.append("| option | default | allowed | what it does |\n|---|---|---|---|\n")
        for option in shown:
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
    """Rewrite the files that are made from the tree; a test compares them with it."""
    for path, text in (
        (TOML_FILE, commented_toml()),
        (USUAL_FILE, usual_page()),
        (EXPERT_FILE, expert_page()),
    ):
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8")


if __name__ == "__main__":
    write()
