"""A path means the same to Python and to Flink, whatever its name."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from flink_app.config import load
from flink_app.config.check import check
from flink_app.config.paths import flink_uri, local, refusal
from flink_app.config.values import toml
from udfs.errors import ConfigError

NAMES = st.text(
    st.characters(exclude_characters="/\0", exclude_categories=["Cs"]), min_size=1, max_size=20
).filter(lambda name: name not in (".", ".."))


@given(name=NAMES)
def test_a_path_stays_as_it_is(name: str) -> None:
    path = Path("/data") / name
    assert local(str(path)) == local(path.as_uri()) == path
    assert local(name) == Path.cwd() / name or name.startswith(("~", "file:"))
    if not refusal(path):
        assert (
            flink_uri(path, "source.paths") == flink_uri(str(path), "x") == f"file:///data/{name}"
        )


@given(name=NAMES)
def test_a_path_goes_through_the_configuration(name: str) -> None:
    given = load(None, [f"source.paths={toml([name])}", f"dead_letters.path={toml(name)}"], {})
    assert given.config.source.paths == [name]
    assert given.config.dead_letters.path == name
    assume(name.strip() == name and name[0] not in "['\"{")
    assert load(None, [f"source.paths={name}"], {}).config.source.paths == [name]


def test_home_and_links(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HOME", "/home/ann")
    monkeypatch.chdir(tmp_path)
    assert local("~/a") == Path("/home/ann/a")
    assert local("~nobody-of-this-name") == tmp_path / "~nobody-of-this-name"
    Path("~").mkdir()
    assert local("~") == tmp_path / "~"
    Path("real/inner").mkdir(parents=True)
    Path("link").symlink_to("real/inner")
    assert local("link/../x") == tmp_path / "real" / "x"
    assert local(f"/{tmp_path}") == tmp_path


def test_a_uri_shows_a_name_or_is_one(tmp_path: Path) -> None:
    assert local(f"file:{tmp_path}/a%20b") == tmp_path / "a b"
    (tmp_path / "a%20b").mkdir()
    assert local(f"file://{tmp_path}/a%20b") == tmp_path / "a%20b"
    assert flink_uri("s3://bucket/a%20b", "state.checkpoints") == "s3://bucket/a%20b"


@pytest.mark.parametrize("name", ["a\\b", "caf\udce9"])
def test_what_flink_cannot_name_is_refused(name: str) -> None:
    for option in ("state.checkpoints", "state.restore", "dead_letters.path"):
        config = load(None, ["source.paths=x"], {}).config
        section, _, key = option.partition(".")
        changed = load(None, ["source.paths=x", f"{option}={name}"], {}).config
        check(config)
        with pytest.raises(ConfigError, match=rf"{section}\.{key} is .* rename it"):
            check(changed)
