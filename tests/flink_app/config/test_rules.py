from __future__ import annotations

from pathlib import Path

import msgspec
import pytest

from flink_app.config import Config, load
from flink_app.config.check import check
from flink_app.config.render import effective
from flink_app.config.rules import EXAMPLE, KEYS, commented_toml, document, page
from flink_app.package import configuration
from udfs.errors import ConfigError
from udfs.options.rules import Rule


def written(tmp_path: Path, text: str) -> Path:
    path = tmp_path / "shop.toml"
    path.write_text(text, encoding="utf-8")
    return path


def test_rules_come_from_a_file_in_order_and_are_shown_with_their_origin(tmp_path: Path) -> None:
    path = written(tmp_path, document([*EXAMPLE]))
    loaded = load(path, (), {})
    assert loaded.config.rules == [*EXAMPLE]
    shown = [row for row in effective(loaded) if row[0].startswith("rules")]
    assert shown[0] == (
        "rules[1]",
        '{"name" = "no-alcohol", "when" = "category == \\"alcohol\\"", "exclude" = true}',
        str(path),
    )
    assert len(shown) == len(EXAMPLE)
    assert not any(name.startswith("rules") for name, _, _ in effective(load(None, (), {})))


def test_a_later_source_replaces_the_rules_of_an_earlier_one(tmp_path: Path) -> None:
    path = written(tmp_path, "[lists]\nlength = 5\n" + document([*EXAMPLE]))
    cheap = '[{when = "price < 5", boost = 2}]'
    loaded = load(path, (), {"MILLIREC_RULES": cheap})
    assert loaded.config.rules == [Rule(when="price < 5", boost=2.0)]
    assert loaded.origins["rules"] == "environment MILLIREC_RULES"
    loaded = load(path, ("rules=[]",), {"MILLIREC_RULES": cheap})
    assert (loaded.config.rules, loaded.origins["rules"]) == ([], "--set")
    assert loaded.config.lists.length == 5


def test_rules_travel_with_the_settings_and_with_a_package(tmp_path: Path) -> None:
    loaded = load(written(tmp_path, document([*EXAMPLE])), (), {})
    assert loaded.config.settings.rules == [*EXAMPLE]
    assert msgspec.json.decode(msgspec.json.encode(loaded.config), type=Config) == loaded.config
    text, left_out = configuration(loaded)
    assert not left_out
    assert load(written(tmp_path, text), (), {}).config == loaded.config


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        ("[rules]\nwhen = 'price < 3'", "must be a list of tables: begin each rule with [[rules]]"),
        ("[[rules]]\nwen = 'x'", "[[rules]] has no option wen (from .*, number 1): did you mean"),
        ("[[rules]]\nname = 'a'\nfoo = 1", '.*, number 1 "a".: choose one of name, when, exclude'),
        ("[[rules]]\nboost = 'x'", 'rules.boost is "x" (from .*, number 1): it must be a number'),
        (
            "[[rules]]\n[[rules]]\npin = -1",
            "rules.pin is -1 (from .*, number 2): it must",
        ),
        ("[[rules]]\nmost = 1\nof = 'color'", 'it must be one of "", "category", "brand"'),
    ],
)
def test_what_cannot_be_read_names_the_rule_and_the_key(
    tmp_path: Path, text: str, problem: str
) -> None:
    for sign in "[](){":
        problem = problem.replace(sign, "\\" + sign)
    with pytest.raises(ConfigError, match=problem):
        load(written(tmp_path, text), (), {})


def test_one_rule_by_itself_on_the_command_line_is_refused() -> None:
    with pytest.raises(ConfigError, match="must be a list of tables"):
        load(None, ("rules=price < 3",), {})
    with pytest.raises(ConfigError, match=r"there is no section \[rule\]"):
        load(None, ("rule.when=x",), {})


@pytest.mark.parametrize(
    ("rules", "problem"),
    [
        ('[{name = "a", when = "prise < 3", exclude = true}]', "did you mean price"),
        ('[{when = "price < 3"}]', "has nothing to do"),
        ('[{when = "price < 3", pin = 21}]', "lists.length is 20"),
        ('[{when = "hidden", pin = 2}, {when = "available", pin = 2}]', "2 rules have pin = 2"),
    ],
)
def test_a_job_is_not_started_with_rules_that_mean_nothing(rules: str, problem: str) -> None:
    loaded = load(None, ("source.paths=a", f"rules={rules}"), {})
    with pytest.raises(ConfigError, match=problem):
        check(loaded.config)


def test_the_example_is_valid_and_every_key_is_explained(tmp_path: Path) -> None:
    check(load(written(tmp_path, document([*EXAMPLE])), ("source.paths=a",), {}).config)
    for key, option in KEYS.items():
        assert f"\n# {key}: " in commented_toml()
        assert f"| `{key}` | " in page()
        assert option.sentence[0].isupper() and option.sentence.endswith(".")
