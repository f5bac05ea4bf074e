"""A server that reads a real Redis Cluster: lists of all nodes, notices, factors, a failover."""

from __future__ import annotations

import asyncio
import signal
from pathlib import Path
from typing import Any

from flink_app.serve.reader import Reader
from tests.flink_app.serve.servers import items, made, serving
from tests.flink_app.serve.test_factors import learned, rank
from tests.flink_app.serve.test_hidden import until
from tests.flink_app.serve.test_streams import lists
from tests.udfs.redis_nodes import RedisNodes
from tests.waiting import wait_for
from udfs.stores.redis_metadata import RedisMetadata
from udfs.stores.redis_writer import RedisSettings, RedisWriter

PEOPLE = [f"user-{n}" for n in range(40)]
COMMANDS = ["+get", "+hgetall", "+cluster|slots", "+command"]
"""What docs/redis.md says that a server needs, less what streams and factors add."""


def write(nodes: RedisNodes, lists: dict[str, str], *more: Any) -> None:
    sets = [("SET", name, made(lists[name])) for name in lists]
    RedisWriter(RedisSettings(nodes.url)).send([*sets, *more])


def test_the_lists_of_all_nodes(nodes: RedisNodes) -> None:
    words = {f"rec:{who}": f"a{chr(97 + n % 26)}" for n, who in enumerate(PEOPLE)}
    write(nodes, {**words, "popular": "xy", "trending": "z", "similar:a": "bc"})
    assert all(client.dbsize() for client in nodes.clients), "spread over all nodes"
    with serving(nodes.url) as client:
        answer = client.post("/recommend", json={"users": [*PEOPLE, "nobody"]}).json()
        assert [items(one) for one in answer["lists"]] == [*words.values(), "xy"]
        assert items(client.get("/recommend/user-7").json()) == words["rec:user-7"]
        assert items(client.get("/similar/a").json()) == "bc"
        assert items(client.get("/trending").json()) == "z"
        assert client.get("/health/ready").status_code == 200


def test_a_stream_hears_of_a_list_on_any_node(nodes: RedisNodes) -> None:
    for who in PEOPLE[:6]:
        with serving(nodes.url) as client, client.stream("GET", f"/stream/{who}") as response:
            following = lists(response)
            assert next(following) in ("", "xy")
            for change in ("abc", "cab"):
                write(nodes, {f"rec:{who}": change, "popular": "xy"}, ("PUBLISH", "rec", who))
                while (now := next(following)) != change:
                    assert now in ("", "xy", "abc")


def test_candidates_are_ranked_by_the_factors(nodes: RedisNodes) -> None:
    learned(nodes.url)
    with serving(nodes.url, "redis.factors=true") as client:
        listed = [one["item"] for one in client.get("/recommend/u1").json()["items"]]
        answer = rank(client, "u1", listed[::-1])
        assert [one["item"] for one in answer["items"]] == listed


def test_a_replica_takes_over_from_a_node_that_hangs(tmp_path: Path) -> None:
    with RedisNodes(tmp_path, replicas=True) as nodes:
        write(nodes, {f"rec:{who}": "ab" for who in PEOPLE})
        for primary in nodes.clients[:3]:
            primary.wait(1, 5000)
        with serving(nodes.url, "serve.timeout_s=1") as client:

            def stale() -> bool:
                answer = client.post("/recommend", json={"users": PEOPLE})
                assert answer.status_code == 200
                return bool(answer.json()["lists"][0]["stale"])

            wait_for(lambda: not stale())
            nodes.servers[0].send_signal(signal.SIGSTOP)  # the first that the URL names
            try:
                assert stale()
                wait_for(lambda: not stale())
            finally:
                nodes.servers[0].send_signal(signal.SIGCONT)


def test_hidden_items_and_lists_by_category_are_followed(nodes: RedisNodes) -> None:
    metadata = RedisMetadata(RedisWriter(RedisSettings(nodes.url)), "")
    write(nodes, {"rec:alice": "abc", "popular": "xyz", "popular:tea": "ya", "trending:tea": "b"})
    teas = [("SET", f"item:{item}", '{"category":"tea","categories":["tea"]}') for item in "abcy"]
    write(nodes, {}, *teas)
    metadata.hide(0, [(f"h{n}", True) for n in range(3000)])
    with serving(nodes.url) as client:
        tea = {"filter": 'category == "tea"'}
        assert items(client.get("/popular", params=tea).json()) == "ya"
        assert items(client.get("/trending", params=tea).json()) == "b"
        assert items(client.get("/recommend/alice", params=tea).json()) == "abcy"
        with client.stream("GET", "/stream/alice") as response:
            following = lists(response)
            assert next(following) == "abc"
            metadata.hide(0, [("a", True), ("y", True)])
            assert next(following) == "bc"
        assert items(client.get("/popular", params=tea).json()) == ""
        assert items(client.get("/popular").json()) == "xz"
        metadata.hide(0, [("a", False)])
        until(lambda: items(client.get("/recommend/alice").json()) == "abc")


def test_hidden_items_are_followed_to_a_replica(tmp_path: Path) -> None:
    with RedisNodes(tmp_path, replicas=True) as nodes:
        metadata = RedisMetadata(RedisWriter(RedisSettings(nodes.url, retry_s=60)), "")
        write(nodes, {"popular": "xyz"})
        metadata.hide(0, [("x", True)])
        assert all(primary.wait(1, 20_000) for primary in nodes.clients[:3]), "replicated"
        here = next(n for n, one in enumerate(nodes.clients[:3]) if one.keys("hidden"))
        with serving(nodes.url, "serve.timeout_s=2") as client:

            def shows(letters: str) -> bool:
                answer = client.get("/popular")
                return answer.status_code == 200 and items(answer.json()) == letters

            wait_for(lambda: shows("yz"))
            nodes.servers[here].kill()
            metadata.hide(0, [("y", True)])
            wait_for(lambda: shows("z"))
            metadata.hide(0, [("x", False)])
            wait_for(lambda: shows("xz"))


def test_credentials(nodes: RedisNodes) -> None:
    for node in nodes.clients:
        node.acl_setuser("reader", enabled=True, passwords=["+word"], keys=["*"], commands=COMMANDS)

    async def use(url: str, name: str, word: str) -> list[bytes | None]:
        reader = Reader(RedisSettings(url, name, word, timeout_s=20))
        try:
            assert await reader.call("HGETALL", "stats") == {}
            return await reader.get(["a", "b", "c"])
        finally:
            await reader.close()

    within = nodes.url.replace("//", "//reader:word@")
    wrong = nodes.url.replace("//", "//reader:wrong@")
    for url, name, word in ((within, "", ""), (nodes.url, "reader", "word"), (wrong, "", "word")):
        assert asyncio.run(use(url, name, word)) == [None] * 3
