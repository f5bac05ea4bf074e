"""The loader: what goes over what, where each value came from, what is refused and how."""

from collections.abc import Callable
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from flink_app.config import Loaded, load
from flink_app.config.registry import OPTIONS
from flink_app.config.tree import Config
from udfs.errors import ConfigError

Load = Callable[..., Loaded]


@pytest.fixture
def load_from(tmp_path: Path) -> Load:
    """`load`, with the text of the file instead of its path, and an empty environment."""

    def from_text(
        text: str = "", overrides: tuple[str, ...] = (), environ: dict[str, str] | None = None
    ) -> Loaded:
        path = tmp_path / "millirec.toml"
        path.write_text(text, encoding="utf-8")
        return load(path, overrides, environ or {})

    return from_text


def test_without_anything_all_is_default() -> None:
    loaded = load(None, (), {})
    assert loaded.config == Config()
    assert set(loaded.origins.values()) == {"default"}
    assert set(OPTIONS) <= set(loaded.origins)


def test_each_layer_goes_over_the_one_before(load_from: Load) -> None:
    text = "[lists]\nlength = 2"
    variable = {"MILLIREC_LISTS_LENGTH": "3"}
    override = ("lists.length=4", "lists.length = 5")
    for layers, length, origin in (
        ((), 20, "default"),
        ((text,), 2, "millirec.toml"),
        ((text, (), variable), 3, "environment MILLIREC_LISTS_LENGTH"),
        ((text, override, variable), 5, "--set"),
    ):
        loaded = load_from(*layers)
        assert loaded.config.lists.length == length
        assert loaded.origins["lists.length"].endswith(origin)


def test_the_origin_of_a_file_is_its_path(load_from: Load, tmp_path: Path) -> None:
    assert load_from("[job]\nname = 'shop'").origins["job.name"] == str(tmp_path / "millirec.toml")


def test_redis_url_is_weaker_than_its_own_variable_and_stronger_than_the_file(
    load_from: Load,
) -> None:
    text = "[redis]\nurl = 'redis://file'"
    loaded = load_from(text, (), {"REDIS_URL": "redis://common"})
    assert loaded.config.redis.url == "redis://common"
    assert loaded.origins["redis.url"] == "environment REDIS_URL"
    both = {"REDIS_URL": "redis://common", "MILLIREC_REDIS_URL": "redis://own"}
    assert load_from(text, (), both).config.redis.url == "redis://own"
    assert load_from(text, (), {"REDIS_URL": ""}).config.redis.url == "redis://file"


def test_tables_are_added_to_entry_by_entry(load_from: Load) -> None:
    loaded = load_from(
        "[events.weights]\nview = 0.1\nread = 0.5",
        ("events.weights.cart=0.9",),
        {"MILLIREC_EVENTS_WEIGHTS": "{view = 0.15}"},
    )
    weights = loaded.config.events.weights
    assert weights == {**Config().events.weights, "view": 0.15, "read": 0.5, "cart": 0.9}
    assert loaded.origins["events.weights.cart"] == "--set"
    assert loaded.origins["events.weights.view"] == "environment MILLIREC_EVENTS_WEIGHTS"
    assert loaded.origins["events.weights.read"].endswith("millirec.toml")
    assert loaded.origins["events.weights.click"] == "default"


def test_dotted_names_and_other_types_fit_in_tables_of_texts(load_from: Load) -> None:
    loaded = load_from(
        "[source.properties]\nsecurity.protocol = 'SSL'\nretries = 3\n"
        "[flink.options]\npipeline.object-reuse = true",
        ("source.properties.max.poll.records=500",),
    )
    assert loaded.config.source.properties == {
        "security.protocol": "SSL",
        "retries": "3",
        "max.poll.records": "500",
    }
    assert loaded.config.flink.options == {"pipeline.object-reuse": "true"}


@pytest.mark.parametrize("key", ["a.b", '"a.b"', "'a.b'"])
def test_a_key_of_a_table_may_be_quoted_as_in_toml(key: str) -> None:
    config = load(None, [f"flink.options.{key}=x"], {}).config
    assert config.flink.options == {"a.b": "x"}


def test_a_date_of_toml_is_a_text_here(load_from: Load) -> None:
    loaded = load_from("[events]\nearliest = 2001-02-03T04:05:06Z")
    assert loaded.config.events.earliest == "2001-02-03T04:05:06+00:00"


@pytest.mark.parametrize(
    ("text", "value"),
    [("a", "a"), ("7", "7"), ("true", "true"), ('"a b"', "a b"), ("a=b", "a=b"), ("'a", "'a")],
)
def test_a_text_is_taken_as_it_stands_unless_it_is_quoted(text: str, value: str) -> None:
    assert load(None, [f"source.topic={text}"], {}).config.source.topic == value


@pytest.mark.parametrize(
    ("text", "paths"), [("a,b.csv", ["a,b.csv"]), ('["a", "b"]', ["a", "b"]), ("[]", [])]
)
def test_a_list_takes_a_bare_word(text: str, paths: list[str]) -> None:
    assert load(None, (), {"MILLIREC_SOURCE_PATHS": text}).config.source.paths == paths


@given(st.text().filter(lambda text: text.strip()[:1] not in ("'", '"')))
def test_any_password_goes_through_the_environment(password: str) -> None:
    assert load(None, (), {"MILLIREC_REDIS_PASSWORD": password}).config.redis.password == password


@given(st.integers(1, 1000), st.floats(0, 1))
def test_numbers_keep_their_value(length: int, regularisation: float) -> None:
    overrides = [f"lists.length={length}", f"model.regularisation={regularisation!r}"]
    config = load(None, overrides, {}).config
    assert (config.lists.length, config.model.regularisation) == (length, regularisation)


def test_strict_makes_what_is_not_set_one(load_from: Load) -> None:
    loaded = load_from("[job]\nstrict = true\nitem_shards = 3")
    job = loaded.config.job
    assert (job.parallelism, job.shards, job.item_shards) == (1, 1, 3)
    assert loaded.origins["job.shards"] == "job.strict"
    assert loaded.origins["job.item_shards"].endswith("millirec.toml")


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("[modle]", r"no section \[modle\] .*did you mean model\?"),
        ("[zzz]", r"no section \[zzz\] .*choose one of source, items, events, "),
        ("[model]\ndimension = 3", r"no option dimension .*millirec.toml.*did you mean dimensions"),
        ("[redis]\nparallelism = 3", r"did you mean job.parallelism\?"),
        ("[redis]\nzzz = 3", r"choose one of url, "),
        ("length = 3", "length is not in a section"),
        ("[model\nseed = 1", "is not TOML: .*line 1"),
        ("[model]\ndimensions = 'a'", 'model.dimensions is "a" .*: it must be a whole number from'),
        ("[model]\ndimensions = 0", "model.dimensions is 0 .*: it must be a whole number from 1"),
        ("[model]\ndimensions = true", "model.dimensions is true "),
        (f"[job]\nshards = {10**30}", "job.shards is 1000000"),
        ("[events]\nrating_neutral = nan", "events.rating_neutral is nan .*must be a number"),
        ("[redis]\ntimeout_s = 0", "redis.timeout_s is 0 .*: it must be a number above 0"),
        ("[source]\npaths = 'a'", "source.paths is .*: it must be a list of texts"),
        ("[source]\nkind = 'kafak'", 'it must be one of "files", "directory", "kafka", "flink"'),
        ("[events]\nweights = 3", "events.weights is 3 .*: it must be a table"),
        ("[events.weights]\nview = 'a'", "events.weights.view is .*: it must be a number from -10"),
        ("[flink.options]\na = [1]", r"flink.options.a is \[1\] .*: it must be a text"),
    ],
)
def test_a_file_that_is_wrong_says_where(load_from: Load, text: str, message: str) -> None:
    with pytest.raises(ConfigError, match=message):
        load_from(text)


@pytest.mark.parametrize(
    ("override", "message"),
    [
        ("lists.length", "write --set section.option=value"),
        ("length=3", "write --set section.option=value"),
        ("lists.lenght=3", r"no option lenght \(from --set\): did you mean length"),
        ("list.length=3", r"no section \[list\] \(from --set\): did you mean lists"),
        ("lists.length.first=3", "lists.length is a single value"),
        ("lists.length=many", r'lists.length is "many" \(from --set\)'),
        ("source.paths=[a, b]", "it must be a list of texts"),
        ("job.shards=1\nother = 2", "job.shards is "),
    ],
)
def test_an_override_that_is_wrong_says_why(override: str, message: str) -> None:
    with pytest.raises(ConfigError, match=message):
        load(None, [override], {})


@pytest.mark.parametrize(
    ("variable", "message"),
    [
        ("MILLIREC_REDIS_UR", "did you mean MILLIREC_REDIS_URL"),
        ("MILLIREC_X", "write MILLIREC_SECTION_OPTION"),
        ("MILLIREC_JOB_SHARDS", "from environment MILLIREC_JOB_SHARDS"),
    ],
)
def test_a_variable_that_is_wrong_says_why(variable: str, message: str) -> None:
    with pytest.raises(ConfigError, match=message):
        load(None, (), {variable: "many"})


def test_a_secret_does_not_get_into_an_error(load_from: Load) -> None:
    for text, overrides in (
        ("[redis]\npassword = 314159", ()),
        ("[source.properties]\nsasl.jaas.config = [314159]", ()),
        ("", ("password=314159",)),
    ):
        with pytest.raises(ConfigError) as caught:
            load_from(text, overrides)
        assert "314159" not in str(caught.value)


def test_a_file_that_cannot_be_read_is_named(tmp_path: Path) -> None:
    latin = tmp_path / "latin.toml"
    latin.write_bytes(b"[job]\nname = '\xe9'")
    for path, message in (
        (tmp_path / "absent.toml", "absent.toml does not exist"),
        (tmp_path, "cannot be read"),
        (latin, "is not UTF-8"),
    ):
        with pytest.raises(ConfigError, match=message):
            load(path, (), {})
