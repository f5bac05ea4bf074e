"""Profiles for an evaluation."""

from __future__ import annotations

from pathlib import Path

import pytest

from flink_app.config import Config, load
from flink_app.config.pseudonyms import stored_user
from flink_app.evaluate.user_entries import user_entries
from udfs.errors import SourceError
from udfs.events.people import unpack_people
from udfs.events.pseudonyms import VARIABLE

NOW = 1_700_000_000_000


def test_both_forms_are_read_and_what_is_no_profile_is_left_out(tmp_path: Path) -> None:
    path = tmp_path / "users"
    path.write_text(
        "1|24|M|technician|85711\nbroken\n"
        '{"kind":"profile","user":"ann","country":"DE"}\n'
        '{"kind":"forget","user":"bob"}\n'
    )
    count, entries = user_entries(Config(), [path], NOW)
    [one, ann] = [change for entry in entries for change in unpack_people(entry)]
    assert count == 2
    assert (one.user, one.fields["age_band"], one.fields["gender"]) == ("1", "18-24", "M")
    assert one.fields["attributes"] == {"occupation": "technician"}
    assert (ann.user, ann.fields) == ("ann", {"country": "DE"})


def test_pseudonyms_are_those_of_events(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(VARIABLE, "k" * 32)
    config = load(None, ["privacy.pseudonyms=true"], {}).config
    (tmp_path / "u").write_text('{"kind":"profile","user":"ann","country":"DE"}\n')
    _, [entry] = user_entries(config, [tmp_path / "u"], NOW)
    [ann] = unpack_people(entry)
    assert ann.user == stored_user(config)("ann") != "ann"


def test_no_files_are_no_users_and_files_without_profiles_are_refused(tmp_path: Path) -> None:
    assert user_entries(Config(), [], NOW) == (0, [])
    (tmp_path / "none").write_text("[]\nbroken\n")
    with pytest.raises(SourceError, match="is a profile"):
        user_entries(Config(), [tmp_path / "none"], NOW)
