"""The tree: every option says what it does, has a sound default, and travels."""

import pickle

import msgspec
import pytest

from flink_app.config.registry import OPTIONS, SECTIONS, Option, allowed
from flink_app.config.tree import Config
from flink_app.config.values import checked

UNITS = {"_ms": "millisecond", "_s": "second", "_days": "day", "_bytes": "byte"}


@pytest.mark.parametrize("option", OPTIONS.values(), ids=OPTIONS)
def test_each_option_has_a_sentence_with_its_unit(option: Option) -> None:
    assert option.sentence[0].isupper()
    assert option.sentence.endswith(".")
    for suffix, unit in UNITS.items():
        if option.key.endswith(suffix):
            assert unit in option.sentence


@pytest.mark.parametrize("option", OPTIONS.values(), ids=OPTIONS)
def test_each_default_is_what_it_allows(option: Option) -> None:
    assert checked(option, option.default, "default") == option.default


@pytest.mark.parametrize("option", OPTIONS.values(), ids=OPTIONS)
def test_each_number_is_bounded_or_is_a_rating(option: Option) -> None:
    told = allowed(option.kind)
    if "number" in told and option.key not in ("rating_neutral", "rating_threshold"):
        assert " from " in told or " above " in told


def test_each_section_says_what_it_is() -> None:
    for section in SECTIONS.values():
        assert section.__doc__ and section.__doc__.endswith(".")


def test_the_tree_is_frozen() -> None:
    with pytest.raises(AttributeError):
        Config().model.seed = 2  # type: ignore[misc]


def test_two_trees_share_no_table() -> None:
    Config().source.paths.append("of one tree only")
    assert Config().source.paths == []


def test_the_tree_travels_as_json_and_by_pickle() -> None:
    config = Config()
    assert msgspec.json.decode(msgspec.json.encode(config), type=Config) == config
    assert pickle.loads(pickle.dumps(config)) == config


def test_choices_are_named_in_the_order_they_were_declared() -> None:
    told = allowed(OPTIONS["source.kind"].kind)
    assert told == 'one of "files", "directory", "kafka", "flink"'
