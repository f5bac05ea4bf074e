"""Pseudonyms: the same hash for an id everywhere, and nothing of the id in what is read."""

from __future__ import annotations

import json
import re
import shutil
import subprocess
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.udfs.flink import Subtask
from udfs.errors import ConfigError
from udfs.events import kinds, pseudonyms
from udfs.events.batch import unpack, user_shard
from udfs.events.people import GONE, is_people, unpack_people
from udfs.events.pseudonyms import Pseudonyms
from udfs.events.resolve import resolve
from udfs.events.searches import is_searches, unpack_searches
from udfs.events.settings import DecodeSettings
from udfs.operators.flink import DEAD_LETTERS
from udfs.operators.parse import Parse

KEY = "a secret of thirty-two bytes, so"
OF = Pseudonyms(KEY)
KEYS = [70, 71, 72, 73]


@pytest.mark.parametrize("key", ["", "fifteen bytes..", "k" * 65])
def test_a_key_of_another_length_is_refused_in_a_sentence(key: str) -> None:
    with pytest.raises(
        ConfigError, match=r"MILLIREC_PSEUDONYM_KEY (is not set|has (15|65) bytes): set it"
    ):
        Pseudonyms(key)


@given(st.lists(st.text(st.characters(exclude_categories=["Cs"]))))
def test_all_are_those_of_each(users: list[str]) -> None:
    found = Pseudonyms(KEY).all(users)
    assert found == [OF.of(user) if user else "" for user in users]
    assert all(re.fullmatch("[0-9a-f]{32}|", one) for one in found)


def test_another_key_gives_others_and_few_are_remembered(monkeypatch: pytest.MonkeyPatch) -> None:
    assert Pseudonyms("k" * 16).of("ann") != OF.of("ann")
    monkeypatch.setattr(pseudonyms, "_KNOWN", 10)
    some = Pseudonyms(KEY)
    for n in range(100):
        assert some.all([f"u{n}"]) == [OF.of(f"u{n}")]
    assert len(some._known) <= 11


def read(*lines: str, preset: str = "millirec") -> list[Any]:
    """What `parse` sends on."""
    settings = DecodeSettings(preset=resolve(preset), weights={"click": 1.0}, identity=True)
    parse = Parse(
        settings, {"user learner": KEYS, "item learner": [9]}, "kafka:e", True, pseudonyms=OF
    )
    tagged = [f"0:{n}\n{line}" for n, line in enumerate(lines)]
    return list(Subtask(parse).process(0, (0, json.dumps(tagged), 1234)))


LINES = [
    '{"user":"alice-x","item":"alice-book","type":"click"}',
    '{"user":"alice-x","type":"search","query":"red kettle"}',
    '{"kind":"link","user":"anon-x","to":"alice-x"}',
    '{"kind":"profile","user":"alice-x","follows":["bobby-x","author:7","category:z"],'
    '"likes":["tea"]}',
    '{"kind":"consent","user":"alice-x","personalise":false}',
    '{"kind":"forget","user":"anon-x"}',
]


def test_no_id_of_a_user_is_sent_on_and_items_stay() -> None:
    found = {"batches": [], "searches": [], "people": []}  # type: dict[str, list[Any]]
    for key, data in read(*LINES):
        if key not in KEYS:
            continue
        assert not any(name in data for name in (b"alice-x", b"anon-x", b"bobby-x"))
        if is_people(data):
            found["people"] += [(key, one) for one in unpack_people(data)]
        elif is_searches(data):
            found["searches"] += unpack_searches(data)
        else:
            found["batches"].append(unpack(data))
    alice, anon = OF.of("alice-x"), OF.of("anon-x")
    [batch] = found["batches"]
    assert (batch.users, batch.items) == ([alice], ["alice-book"])
    assert [(one.user, one.query) for one in found["searches"]] == [(alice, "red kettle")]
    gone = [(key, one.user) for key, one in found["people"] if one.kind == GONE]
    wanted = [(key, user) for key in KEYS for user in (alice, anon)]
    assert gone == wanted, "nobody follows who opts out or is forgotten"
    found["people"] = [(key, one) for key, one in found["people"] if one.kind != GONE]
    assert all(key == KEYS[user_shard(one.user, 4)] for key, one in found["people"])
    said = {one.kind: (one.user, one.fields) for _, one in found["people"]}
    assert said == {
        "link": (anon, {"to": alice}),
        "profile": (
            alice,
            {"follows": [OF.of("bobby-x"), "author:7", "category:z"], "likes": ["tea"]},
        ),
        "consent": (alice, {"personalise": False}),
        "forget": (anon, {}),
    }


def test_a_dead_letter_says_where_the_line_is_and_nothing_of_it() -> None:
    bad = ['{"user":"alice-x","item":""}', '{"user":"alice-x"', '{"user":"' + "alice-x" * 99 + '"}']
    letters = [json.loads(data) for key, data in read(*bad) if key is DEAD_LETTERS]
    assert [one["source"] for one in letters] == [f"kafka:e:0:{n}" for n in range(3)]
    assert [one["reason"] for one in letters] == ["empty_item", "not_json", "missing_item"]
    assert all(one["line"] == "" and "left out" in one["detail"] for one in letters)
    assert "alice-x" not in json.dumps(letters)


def test_csv_too() -> None:
    line = "alice-x\t7\t5\t881250949"
    [batch] = [unpack(data) for key, data in read(line, preset="movielens") if key in KEYS]
    assert batch.users == [OF.of("alice-x")]


def test_each_kind_with_users_has_a_way_to_rename_them() -> None:
    without = {name for name, kind in kinds.KINDS.items() if kind.renamed is None}
    assert without == {"item", "experiment"}


@pytest.mark.skipif(shutil.which("node") is None, reason="needs Node")
def test_the_javascript_of_the_docs_gives_the_same(tmp_path: Path) -> None:
    page = Path(__file__).parents[3] / "docs" / "privacy.md"
    [code] = re.findall(r"```js\n(.*?)```", page.read_text(), re.S)
    users = ["", "alice", "zo\u00eb \U0001f600", *("u" * n for n in (127, 128, 129, 300))]
    script = tmp_path / "p.mjs"
    ask = f"console.log(JSON.stringify({json.dumps(users)}.map((u) => pseudonym(u, {KEY!r}))))"
    script.write_text(f"{code}\n{ask}\n")
    found = subprocess.run(["node", script], capture_output=True, text=True, check=True)
    assert json.loads(found.stdout) == [OF.of(user) for user in users]
