"""What is shown: the values in force, and the files that are made from the tree."""

from pathlib import Path

import pytest

from flink_app.config import load
from flink_app.config.check import check
from flink_app.config.registry import OPTIONS, SECTIONS
from flink_app.config.render import (
    EXPERT_FILE,
    TOML_FILE,
    USUAL_FILE,
    commented_toml,
    effective,
    expert_page,
    usual_page,
)
from flink_app.config.tree import Config
from flink_app.config.values import from_text, toml


def test_effective_shows_every_option_with_its_origin() -> None:
    rows = {name: (value, origin) for name, value, origin in effective(load(None, (), {}))}
    for name, option in OPTIONS.items():
        if not (option.is_table and option.default):
            assert rows[name] == (toml(option.default), "default")
    assert rows["events.weights.view"] == ("1.0", "default")


def test_effective_shows_what_was_set_and_no_secret() -> None:
    loaded = load(
        None,
        (
            "redis.password=hunter2",
            "source.properties.sasl.jaas.config=… password='hunter2';",
            'source.paths=["s3://ann:hunter2@shop/a"]',
            "flink.options.s3.secret-key=hunter2",
            "flink.options.state.backend.type=rocksdb",
        ),
        {"MILLIREC_REDIS_URL": 'redis://ann:"hunter2"@cache:6379/0'},
    )
    rows = {name: (value, origin) for name, value, origin in effective(loaded)}
    assert rows["redis.url"] == (
        '"redis://ann:***@cache:6379/0"',
        "environment MILLIREC_REDIS_URL",
    )
    assert rows["redis.password"] == ('"***"', "--set")
    assert rows["flink.options.state.backend.type"] == ('"rocksdb"', "--set")
    assert "hunter2" not in str(rows)


@pytest.mark.parametrize(
    ("path", "text"),
    [(TOML_FILE, commented_toml()), (USUAL_FILE, usual_page()), (EXPERT_FILE, expert_page())],
    ids=["toml", "usual", "expert"],
)
def test_the_file_is_up_to_date(path: Path, text: str) -> None:
    assert path.read_text(encoding="utf-8") == text, "run python -m flink_app.config.render"


def test_the_toml_file_as_it_is_sets_nothing() -> None:
    loaded = load(TOML_FILE, (), {})
    assert loaded.config == Config()
    assert set(loaded.origins.values()) == {"default"}


def test_the_toml_file_with_every_option_uncommented_sets_the_defaults(tmp_path: Path) -> None:
    lines = commented_toml().splitlines()
    # An option is "#name = value"; a sentence is "# Words."
    bare = [line[1:] if line[:1] == "#" and line[:2] != "# " else line for line in lines]
    path = tmp_path / "all.toml"
    path.write_text("\n".join(bare), encoding="utf-8")
    loaded = load(path, (), {})
    assert loaded.config == Config()
    assert {loaded.origins[name] for name in OPTIONS} == {str(path)}


def test_the_lines_of_the_toml_file_are_short() -> None:
    assert max(map(len, commented_toml().splitlines())) <= 100


def test_each_option_is_on_one_page_below_its_section() -> None:
    pages = {True: usual_page(), False: expert_page()}
    sections = {
        usual: {part.partition("]")[0]: part for part in page.split("\n## [")[1:]}
        for usual, page in pages.items()
    }
    assert sections[True].keys() | sections[False].keys() == SECTIONS.keys()
    for option in OPTIONS.values():
        row = f"| `{option.key}` |"
        assert row in sections[option.usual][option.section]
        assert option.sentence in sections[option.usual][option.section]
        assert row not in sections[not option.usual].get(option.section, "")


def test_the_usual_options_are_few_and_come_first_in_their_section() -> None:
    assert 10 <= sum(option.usual for option in OPTIONS.values()) <= 20
    text = commented_toml()
    for section in SECTIONS:
        place = {
            option.key: text.index(f"\n#{option.key} =", text.index(f"\n[{section}]\n"))
            for option in OPTIONS.values()
            if option.section == section and not option.is_table
        }
        usual = [at for key, at in place.items() if OPTIONS[f"{section}.{key}"].usual]
        others = [at for key, at in place.items() if not OPTIONS[f"{section}.{key}"].usual]
        assert max(usual, default=0) < min(others, default=len(text))


def test_the_example_of_the_first_page_is_valid(tmp_path: Path) -> None:
    path = tmp_path / "shop.toml"
    path.write_text(usual_page().partition("```toml\n")[2].partition("```")[0], encoding="utf-8")
    loaded = load(path, (), {})
    check(loaded.config)
    named = {name for name, origin in loaded.origins.items() if origin == str(path)}
    assert all(OPTIONS[name].usual for name in named if name in OPTIONS)


@pytest.mark.parametrize("value", ['"', "\\", "\n\t", "\x7f\x00", "ü, ” and 🛒"])
def test_any_text_is_written_so_that_it_is_read_again(value: str) -> None:
    assert from_text(OPTIONS["source.topic"], toml(value)) == value
