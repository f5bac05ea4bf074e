"""Two hundred events come back whole from every form in which they can be brought."""

from __future__ import annotations

import random
from collections import Counter
from itertools import product
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st
from rich.console import Console

from flink_app.config import load
from flink_app.data.replay.recording import read_recording
from flink_app.data.validate.validation import examine
from flink_app.graph.event_settings import decode_settings
from flink_app.local.redis_server import RedisServer
from tests.flink_app.data.forms import ENCODINGS, PACKED, SHAPES, Event, Form, write
from tests.flink_app.local.test_run import WAIT_S, millirec

COUNT = 200
NAMES = "events", "my José events", "a=b:c+d(e),f%20'#?", "_events", ".events", "日本", "[x]{y}*&;!"
LETTERS = "abcXYZ0189 .,;:'\"|\\/#%é×ß~@{}[]()<>-_+=?!$&*"

forms = st.builds(
    Form,
    shape=st.sampled_from(SHAPES),
    packed=st.sampled_from(sorted(PACKED)),
    streams=st.integers(1, 4),
    encoding=st.sampled_from(ENCODINGS),
    seed=st.integers(0, 10**6),
    name=st.sampled_from(NAMES),
    upper=st.booleans(),
)


def events_of(seed: int) -> list[Event]:
    """Random events in order of time, each with an item of its own."""
    draw = random.Random(seed)

    def name(kind: str, number: int) -> str:
        odd = "".join(draw.choice(LETTERS) for _ in range(draw.randrange(8)))
        return f"{kind}{number:03}{odd}"

    users = [name("u", n) for n in range(20)]
    events: list[Event] = []
    for number in range(COUNT):
        event: dict[str, Any] = {"user": draw.choice(users), "item": name("i", number)}
        event["ts"] = 1_700_000_000_000 + 1000 * number
        if draw.random() < 0.5:
            event["type"] = draw.choice(("view", "click", "cart", "purchase"))
        else:
            event |= {"type": "rating", "value": draw.randrange(1, 11) / 2}
        if draw.random() < 0.7:
            event["id"] = f"e{seed}-{number}"
        events.append(event)
    return events


@settings(max_examples=150, deadline=None)
@example(Form("pretty", ".bz2", 3, "utf-16", name="_events", upper=True), 1)
@example(Form("csv", ".zst", 2, "latin-1", name="my José events"), 2)
@given(forms, st.integers(0, 10**6))
def test_all_events_come_back_from_any_form(form: Form, seed: int) -> None:
    events = events_of(seed)
    with TemporaryDirectory() as folder:
        path, options = write(Path(folder), events, form)
        config = load(None, options, {}).config
        found = examine(config, [path], Console(quiet=True))
        wrong = {check.name: check.found for check in found.checks if check.name == "lines"}
        assert found.events == COUNT, wrong
        assert found.items == COUNT
        recording = read_recording([path], decode_settings(config), 2**43)
    assert recording.left_out == 0
    assert (recording.users, recording.items) == (
        [event["user"] for event in events],
        [event["item"] for event in events],
    )
    assert recording.ts.tolist() == [event["ts"] for event in events]
    assert Counter(recording.types) == Counter(event["type"] for event in events)
    rated = [event["value"] for event in events if "value" in event]
    assert [value for value in recording.values.tolist() if value == value] == rated
    whole = form.shape in ("array", "several", "nested")
    assert sum(map(bool, recording.ids)) == sum("id" in event for event in events)
    if not whole and form.shape != "pretty":
        assert recording.ids == [event.get("id", "") for event in events]


@pytest.mark.job
@pytest.mark.parametrize("shapes", [("lines", "array", "pretty", "several"), ("csv",)])
def test_a_job_learns_all_events_of_any_form(shapes: tuple[str, ...], tmp_path: Path) -> None:
    """One run over a file of every packing and name, with orders of columns of their own."""
    draw, files = random.Random(len(shapes)), []
    settings: list[str] = []
    for number, (packed, encoding) in enumerate(product(sorted(PACKED), ENCODINGS[:3])):
        form = Form(
            shape=shapes[number % len(shapes)],
            packed=packed,
            streams=draw.randrange(1, 4),
            encoding=encoding,
            seed=number,
            name=f"{NAMES[number % len(NAMES)]}{number}",
            upper=draw.random() < 0.3,
        )
        path, settings = write(tmp_path, events_of(number), form)
        files.append(path.name)
    with RedisServer() as server:
        options = [word for setting in settings for word in ("--set", setting)]
        run = millirec(tmp_path, server.url, "run", *files, *options)
        out, err = run.communicate(timeout=WAIT_S)
    assert run.returncode == 0, err
    assert f"{COUNT * len(files):,} learned" in out and "accounted for: all" in out, out
