"""The small client: the same answers by Redis and by HTTP."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest
import redis

from flink_app.client import Recommender
from flink_app.local.ports import free_port
from tests.flink_app.serve.servers import made, serving
from udfs.errors import ServiceError


@pytest.mark.parametrize("by", ["redis", "http"])
def test_lists(by: str, redis_url: str, redis_client: redis.Redis) -> None:
    redis_client.set("rec:a/b é", made("abcd", user="a/b é"))
    redis_client.set("similar:a", made("bc", item="a"))
    redis_client.set("popular", made("xyz"))
    with serving(redis_url, "serve.api_key=k") as client:
        url = redis_url if by == "redis" else str(client.base_url)
        with Recommender(url, api_key="k", timeout_s=20) as shop:
            assert shop.recommend("a/b é", n=2, exclude=["b"]) == ["a", "c"]
            assert shop.recommend("stranger") == ["x", "y", "z"]
            assert shop.similar("a", n=1) == ["b"]
            assert shop.similar("unknown") == []
            assert shop.popular(n=2) == ["x", "y"]
            assert shop.trending() == []
            assert shop.list("rec:a/b é")["source"] == "ranker"


def test_events(redis_url: str, tmp_path: Path) -> None:
    where = "source.kind=directory", f"source.paths={tmp_path}"
    with serving(redis_url, *where) as client, Recommender(str(client.base_url)) as shop:
        told = shop.send([{"user": "u", "item": "i"}, {"user": "u"}])
        assert (told["accepted"], told["rejected"][0]["reason"]) == (1, "missing_item")
        with pytest.raises(ServiceError, match="422"):
            shop.send([{"user": "u"}])
    with Recommender(redis_url) as shop, pytest.raises(ServiceError, match="millirec serve"):
        shop.send([])


def test_items(redis_url: str, tmp_path: Path) -> None:
    where = "source.kind=directory", f"source.paths={tmp_path}"
    with serving(redis_url, *where) as client, Recommender(str(client.base_url)) as shop:
        told = shop.put([{"item": "a/b", "title": "A", "price": None}, {"title": "?"}])
        assert (told["accepted"], told["rejected"][0]["reason"]) == (1, "missing_item")
        assert shop.take_away("a/b")["accepted"] == 1
        with pytest.raises(ServiceError, match="422"):
            shop.put([{"title": "?"}])
    with Recommender(redis_url) as shop, pytest.raises(ServiceError, match="millirec serve"):
        shop.put([{"item": "a"}])


def test_filters(redis_url: str, redis_client: redis.Redis) -> None:
    redis_client.set("rec:a", made("abcd", user="a"))
    redis_client.set("similar:a", made("bc", item="a"))
    redis_client.set("popular", made("dcx"))
    for item, price in (("a", 1), ("b", 9), ("c", 2), ("d", 3)):
        redis_client.set(f"item:{item}", f'{{"price":{price}}}')
    with serving(redis_url) as client, Recommender(str(client.base_url)) as shop:
        assert shop.recommend("a", n=2, exclude=["a", "&"], where="price < 5") == ["c", "d"]
        assert shop.similar("a", where="price < 5") == ["c"]
        assert shop.popular(where="price < 5") == ["d", "c"]
        with pytest.raises(ServiceError, match=r"400.*did you mean price\?"):
            shop.popular(where="prise < 5")
    with Recommender(redis_url) as shop, pytest.raises(ServiceError, match="millirec serve"):
        shop.popular(where="price < 5")


@pytest.mark.parametrize("by", ["redis", "http"])
def test_hidden_items_are_left_out(by: str, redis_url: str, redis_client: redis.Redis) -> None:
    redis_client.set("rec:a", made("abcd", user="a"))
    redis_client.sadd("hidden", "a", "c")
    with serving(redis_url) as client:
        url = redis_url if by == "redis" else str(client.base_url)
        with Recommender(url, timeout_s=20) as shop:
            assert shop.recommend("a") == ["b", "d"]


def test_a_connection_that_the_server_has_closed_is_made_anew(redis_url: str) -> None:
    port = free_port()
    with Recommender(f"http://127.0.0.1:{port}", timeout_s=20) as shop:
        for _ in range(2):
            with serving(redis_url, f"serve.port={port}"):
                assert shop.popular() == []
        with pytest.raises(ServiceError, match="does not answer"):
            shop.popular()


def test_it_needs_nothing_that_is_not_needed() -> None:
    heavy = ["numpy", "numba", "pyflink", "fastapi"]
    program = f"""
import sys
for name in {heavy!r}:
    sys.modules[name] = None
from flink_app.client import Recommender
Recommender("redis://127.0.0.1:1/0").close()
"""
    root = Path(__file__).resolve().parents[2]
    subprocess.run([sys.executable, "-c", program], cwd=root, check=True)
