"""The rules of the configuration, `[[rules]]`: read from where options come from, and shown.

In: what a file, the variable MILLIREC_RULES or `--set rules=…` says. Out: `Rule`s, each valid by
itself, or a ConfigError that names the rule and the key. Whether they mean something is checked by
`udfs.rules.rules`.
"""

from __future__ import annotations

import inspect
from textwrap import wrap
from typing import Any

from flink_app.config.hints import hint
from flink_app.config.registry import allowed, options_of
from flink_app.config.values import checked, toml, toml_or_text
from udfs.errors import ConfigError
from udfs.options.rules import Rule

NAME = "rules"
VARIABLE = "MILLIREC_RULES"
KEYS = {option.key: option for option in options_of(NAME, Rule)}
"""What can be written in a rule."""

EXAMPLE = (
    Rule(name="no-alcohol", when='category == "alcohol"', exclude=True),
    Rule(name="in-season", when='"winter" in tags && available', boost=1.5),
    Rule(name="variety", most=2, of="brand"),
)


def from_text(text: str, origin: str) -> list[Rule]:
    """The rules in a variable or a `--set`: an array of tables in TOML.

    >>> from_text('[{when = "price > 50", exclude = true}]', "--set")[0].when
    'price > 50'
    """
    return read(toml_or_text(text), origin)


def read(value: object, origin: str) -> list[Rule]:
    """The rules in a TOML value.

    Raises:
        ConfigError: it is no array of tables, a key does not exist or has a value of a wrong type.
    """
    if not isinstance(value, list) or not all(isinstance(rule, dict) for rule in value):
        raise ConfigError(
            f"rules (from {origin}) must be a list of tables: begin each rule with [[rules]], or "
            "write --set 'rules=[{when = \"price > 50\", exclude = true}]'."
        )
    return [_rule(rule, place, origin) for place, rule in enumerate(value, 1)]


def _rule(table: dict[str, Any], place: int, origin: str) -> Rule:
    name = table.get("name")
    where = f"{origin}, number {place}" + (f" {toml(name)}" if isinstance(name, str) else "")
    for key in table:
        if key not in KEYS:
            raise ConfigError(f"[[rules]] has no option {key} (from {where}): {hint(key, KEYS)}")
    return Rule(**{key: checked(KEYS[key], value, where) for key, value in table.items()})


def set_keys(rule: Rule) -> dict[str, Any]:
    """What a rule says that is not the default."""
    return {key: value for key in KEYS if (value := getattr(rule, key)) != KEYS[key].default}


def rows(rules: list[Rule], origin: str) -> list[tuple[str, str, str]]:
    """Each rule as `render.effective` shows it."""
    return [
        (f"{NAME}[{place}]", toml(set_keys(rule)), origin) for place, rule in enumerate(rules, 1)
    ]


def document(rules: list[Rule], before: str = "") -> str:
    """The rules in TOML, with something before each line."""
    lines = []
    for rule in rules:
        lines += ["", "[[rules]]", *(f"{k} = {_plain(v)}" for k, v in set_keys(rule).items())]
    return "".join(f"{before}{line}".rstrip() + "\n" for line in lines)


def _plain(value: object) -> str:
    """A value in TOML; a text with quotation marks as people write it."""
    if isinstance(value, str) and '"' in value and value.isprintable() and "'" not in value:
        return f"'{value}'"
    return toml(value)


def commented_toml() -> str:
    """What the commented TOML document says of rules: it sets none."""
    about = [f"# {line}" for line in wrap(f"{_about()} An example:", 97)]
    lines = [f"# {'-' * 97}", *about]
    text = "\n" + "\n".join(lines) + "\n" + document([*EXAMPLE], "#   ")
    for option in KEYS.values():
        sentence = f"{option.key}: {option.sentence} Allowed: {allowed(option.kind)}."
        text += "#\n" + "".join(f"# {line}\n" for line in wrap(sentence, 97))
    return text


def page() -> str:
    """What the page of the configuration says of rules."""
    table = "".join(
        f"| `{option.key}` | `{toml(option.default)}` | {allowed(option.kind)} | "
        f"{option.sentence} |\n"
        for option in KEYS.values()
    )
    return (
        f"\n## Rules\n\n{_about()} Each has a\ntable of its own:\n\n"
        f"```toml{document([*EXAMPLE])}```\n\n"
        "Rules are set all together: a later source replaces those of an earlier one, such as "
        f"`{VARIABLE}` or\n`--set 'rules=[{{when = \"price > 50\", exclude = true}}]'`.\n\n"
        f"| option | default | allowed | what it does |\n|---|---|---|---|\n{table}"
    )


def _about() -> str:
    return " ".join((inspect.getdoc(Rule) or "").split())
