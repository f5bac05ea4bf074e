"""The watch over logs would notice a name."""

from __future__ import annotations

import logging
import os
from pathlib import Path

from tests.unnamed import Watch, in_files


def test_names_in_messages_and_in_errors_are_found(tmp_path: Path) -> None:
    watch, log = Watch(), logging.Logger("a log of its own")
    log.addHandler(watch)
    log.warning("the user %r is new, an announcement", "ann")
    try:
        try:
            raise KeyError("alice")
        except KeyError as error:
            raise ValueError("rec:u17 is no list") from error
    except ValueError:
        log.exception("it failed")
    log.info("3 users are new")
    assert watch.found == [
        "the user 'ann' is new, an announcement",
        "rec:u17 is no list",
        "'alice'",
    ]


def test_files_are_searched_if_they_are_new(tmp_path: Path) -> None:
    (tmp_path / "a").mkdir()
    (tmp_path / "a" / "millirec.log").write_text("all is well\nfor bob too\n")
    (tmp_path / "old.log").write_text("for bob too\n")
    os.utime(tmp_path / "old.log", (1, 1))
    assert in_files(iter([tmp_path]), 2) == [f"{tmp_path / 'a' / 'millirec.log'}: for bob too"]
