"""The peers' benchmark: its accounts with hand-made cases, and a small run with a simple peer."""

from __future__ import annotations

import json
import sys
import threading
from collections import Counter
from itertools import islice
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import redis

from benchmarks.load import Load, known, received, subscribe
from benchmarks.peers import __main__ as command
from benchmarks.peers.environments import NotInstalled, python_of
from benchmarks.peers.loop import follow, serve, top
from benchmarks.peers.measure import Shown, full_speed, live, recall
from benchmarks.peers.process import PeerFailed
from benchmarks.peers.report import COLUMNS, markdown, show
from benchmarks.peers.stream import Stream, is_test, popular_hits, simulated, weave, woven
from benchmarks.peers.systems import PEERS

POPULAR = """\
import sys
from collections import Counter, defaultdict
from pathlib import Path

import redis

from benchmarks.peers.loop import LENGTH, follow, serve


class Popular:
    def __init__(self):
        self.counts, self.seen = Counter(), defaultdict(set)

    def learn(self, events):
        for event in events:
            self.counts[event["item"]] += 1
            self.seen[event["user"]].add(event["item"])

    def rank(self, users):
        ranked = [item for item, _ in self.counts.most_common()]
        return [[i for i in ranked if i not in self.seen[user]][:LENGTH] for user in users]


serve(Popular(), follow(Path(sys.argv[1])), redis.Redis.from_url(sys.argv[2]))
"""


def event(user: str, item: str) -> dict[str, Any]:
    return {"user": user, "item": item, "type": "view", "ts": 1}


def stream(users: list[int], items: list[int], prefix: int) -> Stream:
    return Stream(np.array(users), np.array(items), np.arange(len(users)), prefix, "made up")


@pytest.fixture
def popular(tmp_path: Path) -> list[str]:
    """The command of a peer that lists what is popular."""
    path = tmp_path / "popular.py"
    path.write_text(POPULAR)
    return [sys.executable, str(path), "{folder}", "{url}"]


# ---- load ----------------------------------------------------------------------------------------


def test_files_appear_in_order_and_old_ones_go_once_they_were_read(tmp_path: Path) -> None:
    load = Load(tmp_path)
    for n in range(150):
        load.put([event("a", f"i{n}"), event("b", f"i{n}")])
    names = sorted(path.name for path in tmp_path.iterdir())
    assert len(names) == 150 and load.count == 300 and load.numbers == {"a": 150, "b": 150}
    for name in names[:1] + names[2:]:  # the newest first, as Flink does
        assert (tmp_path / name).read_text().count('"item"') == 2
    load.put([event("a", "i150")])
    left = sorted(path.name for path in tmp_path.iterdir())
    assert len(left) == 150 and left[0] == names[1]
    assert json.loads((tmp_path / left[0]).read_text().splitlines()[0])["item"] == "i1"
    load.put([event("a", "i151")])
    assert sorted(path.name for path in tmp_path.iterdir())[0] == "00000053.jsonl"


def test_events_are_written_at_the_rate_after_calling_before(tmp_path: Path) -> None:
    load = Load(tmp_path)
    seen: list[str] = []
    items = (event("a", f"i{n}") for n in range(1000))

    def before(events: Any) -> None:
        assert not any("i9" in path.read_text() for path in tmp_path.glob("*")) or "i9" in seen
        seen.extend(each["item"] for each in events)

    load.write(items, 100, 0.3, before=before)
    assert 1 <= load.count <= 30 and seen == [f"i{n}" for n in range(load.count)]


def test_an_event_is_fresh_once_the_list_counts_it(
    tmp_path: Path, redis_url: str, redis_client: redis.Redis
) -> None:
    load, ages, stop = Load(tmp_path), [], threading.Event()
    thread = threading.Thread(target=subscribe, args=(redis_url, load, ages, stop))
    thread.start()
    while not redis_client.pubsub_numsub("rec")[0][1]:
        pass
    load.put([event("a", "i1")], timed=False)
    load.put([event("a", "i2"), event("a", "i3"), event("b", "i1")])

    def counts(user: str, number: int) -> None:
        redis_client.set(f"rec:{user}", json.dumps({"id": f"1f-{number:x}", "items": []}))
        redis_client.publish("rec", user)

    counts("a", 1)  # the untimed one: nothing new
    counts("a", 2)
    counts("b", 1)
    while len(ages) < 2:
        pass
    assert [number for number, _ in load.waiting["a"]] == [3] and not load.waiting["b"]
    stop.set()
    thread.join()
    assert len(ages) == 2 and all(age >= 0 for _, age in ages)


# ---- which events test, and what is right --------------------------------------------------------


def test_tests_are_new_pairs_of_known_users() -> None:
    found = is_test(stream([1, 1, 2, 1, 2], [5, 5, 5, 6, 6], 0))
    assert found.tolist() == [False, False, False, True, True]


def test_the_popular_list_has_only_items_new_to_the_user() -> None:
    users = [1, 2, 3, *([4] * 11), 1]
    items = [0, 0, 0, *range(1, 12), 11]
    # ten of the items 1 to 11, equally popular, come before the last one; item 0 was had
    assert popular_hits(stream(users, items, 14), 14, 15).tolist() == [False]
    items[-1] = 1
    assert popular_hits(stream(users, items, 14), 14, 15).tolist() == [True]
    assert popular_hits(stream(users, items, 14), 3, 4).tolist() == [False]  # not met before


def test_recall_counts_only_tests_and_replaces_missing_lists() -> None:
    popular = np.array([True, False, True, True, True])
    counted = np.array([True, True, True, False, True])
    assert recall([1, 0, -1, 0], popular, counted) == pytest.approx(2 / 3)
    assert recall([0, 1, 0, 1, -1], popular, counted) == pytest.approx(2 / 4)


def test_the_lists_in_redis_are_read(redis_client: redis.Redis) -> None:
    items = [{"item": f"i{n}"} for n in range(12)]
    redis_client.set("rec:a", json.dumps({"items": items}))
    shown = Shown(redis_client)
    shown.look([event("a", "i9"), event("a", "i10"), event("b", "i1")])
    assert shown.held == [1, 0, -1]


def test_interleaving_keeps_the_order_of_each_user_and_the_times() -> None:
    draw = np.random.default_rng(3)
    users, items = np.sort(draw.integers(0, 40, 500)), np.arange(500)
    order = weave(users, 8, seed=1)
    assert sorted(order.tolist()) == list(range(500))
    for user in range(40):
        assert np.all(np.diff(order[users[order] == user]) > 0)
    assert len(set(users[order][:30].tolist())) > 3
    found = woven(users, items, items * 10, 100, "made up", seed=1)
    assert found.items[:100].tolist() == list(range(100))
    assert np.all(np.diff(found.times) == 10)
    pairs = set(zip(users.tolist(), items.tolist(), strict=True))
    assert pairs == set(zip(found.users.tolist(), found.items.tolist(), strict=True))


def test_without_recordings_the_shop_generates_events() -> None:
    found = simulated(600, 200)
    assert len(found.users) == 600 and found.prefix == 200 and is_test(found).any()
    assert np.all(np.diff(found.times) >= 0)


# ---- the loop of the Python peers ----------------------------------------------------------------


class Recent:
    """Lists the last items of all."""

    def __init__(self) -> None:
        self.items: list[str] = []

    def learn(self, events: Any) -> None:
        self.items += [event["item"] for event in events]

    def rank(self, users: Any) -> list[list[str]]:
        return [self.items[:-3:-1] for _ in users]


def test_the_loop_writes_what_millirec_writes(redis_client: redis.Redis) -> None:
    batches = [[event("a", "i1"), event("b", "i2"), event("a", "i3")], [event("a", "i4")]]
    channel = redis_client.pubsub(ignore_subscribe_messages=True)
    channel.subscribe("rec")
    channel.get_message(timeout=30)
    serve(Recent(), batches, redis_client)
    first, second = redis_client.mget("rec:a", "rec:b")
    assert (known(first), known(second)) == (3, 1)
    assert [entry["item"] for entry in json.loads(first)["items"]] == ["i4", "i3"]
    assert [entry["item"] for entry in json.loads(second)["items"]] == ["i3", "i2"]
    assert received(redis_client) == 4
    assert redis_client.hmget("stats", "learned", "lists") == [b"4", b"3"]
    published = [channel.get_message(timeout=30)["data"] for _ in range(3)]
    assert Counter(published) == {b"a": 2, b"b": 1}


def test_a_folder_is_read_in_order_of_names(tmp_path: Path, monkeypatch: Any) -> None:
    monkeypatch.setattr("benchmarks.peers.loop.BATCH", 3)
    batches = follow(tmp_path)
    load = Load(tmp_path)
    load.put([event("a", f"i{n}") for n in range(4)])
    load.put([event("a", f"i{n}") for n in range(4, 6)])
    found = [[each["item"] for each in batch] for batch in islice(batches, 2)]
    assert found == [["i0", "i1", "i2"], ["i3", "i4", "i5"]]


def test_the_best_unseen_items_are_found_even_if_few_are_left() -> None:
    scores = np.array([0.3, 0.9, 0.1, 0.7])
    assert top(scores.copy(), [1], 2) == [3, 0]
    assert top(scores.copy(), {1, 3}, 3) == [0, 2]
    assert top(scores.copy(), range(4), 3) == []


# ---- the measurements ----------------------------------------------------------------------------


def test_a_peer_at_full_speed(popular: list[str], tmp_path: Path, redis_url: str) -> None:
    found = full_speed(popular, tmp_path / "log", redis_url, backlog=400, warm=50)
    assert found["finished"] and found["events"] == 400 and found["events_per_s"] > 0
    assert 0 < found["lists_per_s"] <= found["events_per_s"]


def test_a_peer_live(popular: list[str], tmp_path: Path, redis_url: str) -> None:
    events = simulated(900, 300)
    found = live(popular, tmp_path / "log", redis_url, events, 200, rate=200, seconds=1.5)
    assert found["history"] == 200 and 200 < found["events"] == len(found["held"]) <= 300
    assert found["late"] == 0 and 0 < found["p50_ms"] <= found["p95_ms"] <= found["p99_ms"]
    assert set(found["held"]) == {-1, 0, 1}


def test_a_peer_that_ends_is_reported_with_its_last_output(tmp_path: Path, redis_url: str) -> None:
    failing = [sys.executable, "-c", "raise SystemExit('no Java here')"]
    with pytest.raises(PeerFailed, match="ended with 1: no Java here"):
        full_speed(failing, tmp_path / "log", redis_url, backlog=10, warm=5)


@pytest.mark.job
@pytest.mark.parametrize("name", ["millirec", "textbook-process"])
def test_a_peer_on_flink(name: str, tmp_path: Path, redis_url: str) -> None:
    peer = next(peer for peer in PEERS if peer.name == name)
    start = [sys.executable, "-m", peer.module, "{folder}", "{url}", "8", *(peer.live or ())]
    found = full_speed(start, tmp_path / "log", redis_url, backlog=1000, warm=0)
    assert found["finished"] and found["peak_mib"]["Java"] > 100
    with redis.Redis.from_url(redis_url) as client:
        assert received(client) == 6000 and len(list(client.scan_iter("rec:*"))) > 500


def test_a_failed_installation_is_reported(tmp_path: Path) -> None:
    nowhere = ["--no-index", "millirec-has-no-such-peer"]
    with pytest.raises(NotInstalled, match="millirec-has-no-such-peer"):
        python_of("nobody", nowhere, tmp_path)
    assert python_of("millirec", (), tmp_path) == sys.executable


def test_an_environment_is_kept(tmp_path: Path, monkeypatch: Any) -> None:
    made: list[list[str]] = []
    monkeypatch.setattr("benchmarks.peers.environments._run", made.append)
    (tmp_path / "river").mkdir()
    first = python_of("river", ["river"], tmp_path)
    assert len(made) == 2 and made[1][0] == first and made[1][-1] == "river"
    assert python_of("river", ["river"], tmp_path) == first and len(made) == 2
    python_of("river", ["river<1"], tmp_path)
    assert len(made) == 4


# ---- the report ----------------------------------------------------------------------------------


@pytest.fixture
def figures() -> dict[str, Any]:
    """Of millirec, a slow peer and one that could not be installed."""
    rows = []
    for peer, scale in zip(PEERS[:3:2], (1, 4), strict=True):
        row = {"name": peer.name, "title": peer.title, "what": peer.what, "source": peer.source}
        row |= {"requirements": peer.requirements, "factors": peer.factors}
        row["full_speed"] = {
            "events": 4000,
            "finished": scale == 1,
            "seconds": 1.0,
            "events_per_s": 4000 // scale,
            "lists_per_s": 100,
            "peak_mib": {"Java": 1000, "Python": 24},
        }
        row["live"] = {
            "history": 200 // scale,
            "history_s": 1.0,
            "events": 100,
            "events_per_s": 50,
            "p50_ms": 10.0 * scale,
            "p95_ms": 20.0,
            "p99_ms": 30.0,
            "late": scale - 1,
            "peak_mib": {"Java": 500},
            "held": [1, 0, -1],
        }
        rows.append(row)
    missing = PEERS[-1]
    rows.append(
        {
            "name": missing.name,
            "title": missing.title,
            "what": missing.what,
            "factors": 20,
            "source": missing.source,
            "requirements": missing.requirements,
            "missing": "could not be installed: no network",
        }
    )
    events = stream([1, 1, 1, 1], [5, 6, 7, 5], 1)
    return command.summary(rows, events) | {"rate": 50, "seconds": 2}


def test_recall_is_over_the_tests(figures: dict[str, Any]) -> None:
    # three live events: two tests, of which the popular list, empty but for item 5, holds none
    live_row = figures["peers"][0]["live"]
    assert live_row["tests"] == 2 and live_row["recall@10"] == 0.5
    assert live_row["without_list"] == 0.0 and "held" not in live_row
    assert figures["popular_recall@10"] == 0.0
    json.dumps(figures)


def test_the_report_has_ratios_and_names_missing_peers(
    figures: dict[str, Any], capsys: pytest.CaptureFixture[str]
) -> None:
    figures["live"]["history"] = 200
    text = markdown(figures)
    rows = [line.split(" | ") for line in text.splitlines() if line.startswith("| ")]
    assert [len(row) for row in rows] == [len(COLUMNS)] * 4
    assert rows[2][1:3] == ["1,000 *", "4 ×"] and rows[2][8] == "4 ×" and rows[2][4] == "1,024"
    assert set(rows[3][1:-1]) == {"–"}
    for note in (
        "could not be installed: no network",
        "did not finish 4,000 events",
        "the last 50 of the history",
        "3% of the live events did not reach a list",
    ):
        assert note in text
    show(figures)
    assert "Spark" in capsys.readouterr().err


def test_the_plot_has_a_row_for_each_peer(figures: dict[str, Any], tmp_path: Path) -> None:
    pytest.importorskip("matplotlib", reason="matplotlib comes with the extra plot")
    from benchmarks.peers.plot import figure, save

    speed = figure(figures).axes[0]
    assert [label.get_text() for label in speed.get_yticklabels()][::-1] == [
        row["title"] for row in figures["peers"]
    ]
    save(figures, tmp_path / "peers.png")
    assert (tmp_path / "peers.png").stat().st_size > 1000


def test_every_peer_can_be_named_once() -> None:
    names = [peer.name for peer in PEERS]
    assert len(set(names)) == len(names) and names[0] == "millirec"
    assert all(peer.full_speed is not None or peer.live is not None for peer in PEERS)
