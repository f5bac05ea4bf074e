"""What is shown: the values in force, and the two files that are made from the tree."""

from pathlib import Path

import pytest

from flink_app.config import load
from flink_app.config.registry import OPTIONS, SECTIONS
from flink_app.config.render import (
    MARKDOWN_FILE,
    TOML_FILE,
    commented_toml,
    effective,
    markdown,
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
    [(TOML_FILE, commented_toml()), (MARKDOWN_FILE, markdown())],
    ids=["toml", "markdown"],
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


def test_the_reference_names_each_section_and_option() -> None:
    text = markdown()
    for section in SECTIONS:
        assert f"\n## [{section}]\n" in text
    for option in OPTIONS.values():
        assert f"| `{option.key}` |" in text
        assert option.sentence in text


@pytest.mark.parametrize("value", ['"', "\\", "\n\t", "\x7f\x00", "ü, ” and 🛒"])
def test_any_text_is_written_so_that_it_is_read_again(value: str) -> None:
    assert from_text(OPTIONS["source.topic"], toml(value)) == value
