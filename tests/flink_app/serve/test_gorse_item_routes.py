"""Gorse's own SDKs keep items in millirec: PyGorse, and gorsejs where it is installed."""

from __future__ import annotations

import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import gorse
import httpx
import msgspec
import pytest
import redis

from tests.flink_app.serve.servers import made, serving
from tests.flink_app.serve.test_event_routes import written

ITEM = {
    "ItemId": "kettle",
    "IsHidden": False,
    "Categories": ["kitchen"],
    "Timestamp": "2024-05-01T12:00:00Z",
    "Labels": ["copper", "new"],
    "Comment": "Copper Kettle",
}
FIELDS = {
    "hidden": False,
    "categories": ["kitchen"],
    "published": 1_714_564_800_000,
    "tags": ["copper", "new"],
    "text": "Copper Kettle",
}


@pytest.fixture
def client(redis_url: str, redis_client: redis.Redis, inbox: Path) -> Iterator[httpx.Client]:
    redis_client.set("item:kettle", msgspec.json.encode(FIELDS))
    redis_client.set("item:a/b", '{"title":"A"}')
    redis_client.set("rec:alice", made("xyz", user="alice"))
    redis_client.set("similar:kettle", made("xy", item="kettle"))
    redis_client.set("popular", made("z"))
    redis_client.set("popular:kitchen", made("yx"))
    for name in "xy":
        redis_client.set(f"item:{name}", '{"categories":["kitchen"]}')
    where = "source.kind=directory", f"source.paths={inbox}", "job.item_shards=2"
    with serving(redis_url, *where, "serve.api_key=k", **{"X-API-Key": "k"}) as client:
        yield client


@pytest.fixture
def sdk(client: httpx.Client) -> gorse.Gorse:
    return gorse.Gorse(str(client.base_url).rstrip("/"), "k", timeout=20)


def test_an_item_comes_and_goes(sdk: gorse.Gorse, inbox: Path) -> None:
    assert sdk.insert_item(ITEM) == {"RowAffected": 1}
    assert sdk.update_item("kettle", is_hidden=True, labels=["old"]) == {"RowAffected": 1}
    assert sdk.delete_item("kettle") == {"RowAffected": 1}
    whole, change, gone = [{**one, "ts": 0} for one in written(inbox)]
    head = {"kind": "item", "item": "kettle", "ts": 0}
    assert whole == {**head, **FIELDS, "published": "2024-05-01T12:00:00Z", "attributes": None}
    assert change == {**head, "hidden": True, "tags": ["old"]}
    assert gone == {**head, "deleted": True}


def test_what_an_inserted_item_lacks_is_gone(client: httpx.Client, inbox: Path) -> None:
    answer = client.post("/api/items", json=[{"ItemId": "a"}, {"ItemId": "b", "Labels": {"n": 1}}])
    assert answer.json() == {"RowAffected": 2}
    first, second = written(inbox)
    assert first["hidden"] is False
    assert [first[name] for name in ("categories", "tags", "text", "published")] == [None] * 4
    assert second["attributes"] == {"n": 1}


def test_items_are_read(sdk: gorse.Gorse) -> None:
    assert sdk.get_item("kettle") == ITEM
    assert sdk.get_item("a%2Fb")["ItemId"] == "a/b"
    with pytest.raises(gorse.GorseException) as raised:
        sdk.get_item("unknown")
    assert raised.value.status_code == 404


def test_all_items_page_by_page(sdk: gorse.Gorse, redis_client: redis.Redis) -> None:
    names = [f"i{n}" for n in range(600)]
    for n, name in enumerate(names):
        redis_client.hset(f"feed:metadata:{{{n % 2}}}", name, b"packed")
        redis_client.set(f"item:{name}", msgspec.json.encode({**FIELDS, "title": name}))
    found, cursor, pages = [], "", 0
    while True:
        items, cursor = sdk.get_items(50, cursor)
        found += [item["ItemId"] for item in items]
        pages += 1
        if not cursor:
            break
    assert set(found) == set(names)
    assert 2 <= pages <= 12


@pytest.mark.parametrize("cursor", ["x", "9:0", "-1:0", "0:", "0:x"])
def test_a_cursor_that_is_none(client: httpx.Client, cursor: str) -> None:
    answer = client.get("/api/items", params={"cursor": cursor})
    assert (answer.status_code, answer.json()["type"][-10:]) == (400, "bad-cursor")


def test_categories_come_and_go(client: httpx.Client, inbox: Path) -> None:
    for method, category in (("PUT", "tea"), ("PUT", "a/b"), ("PUT", "tea"), ("DELETE", "kitchen")):
        path = f"/api/item/kettle/category/{category.replace('/', '%2F')}"
        assert client.request(method, path).json() == {"RowAffected": 1}
    assert [one["categories"] for one in written(inbox)] == [
        ["kitchen", "tea"],
        ["kitchen", "tea", "a/b"],
        ["kitchen", "tea", "a/b"],
        ["tea", "a/b"],
    ]


def test_lists_by_category(client: httpx.Client, sdk: gorse.Gorse) -> None:
    assert [one.id for one in sdk.get_recommend("alice", category="kitchen", n=5)] == ["x", "y"]
    assert [one.id for one in sdk.get_recommend("bob", category="kitchen", n=5)] == ["y", "x"]
    assert [one.id for one in sdk.get_recommend("alice", category="tea", n=5)] == []
    assert [one["Id"] for one in client.get("/api/popular/kitchen").json()] == ["y", "x"]
    assert client.get("/api/popular/").json() == [{"Id": "z", "Score": 1.0}]
    assert [one["Id"] for one in sdk.get_neighbors("kettle")] == ["x", "y"]


@pytest.mark.parametrize("body", ["{}", "[1]", '{"ItemId":7}', "no JSON"])
def test_what_is_no_item(client: httpx.Client, body: str) -> None:
    headers = {"content-type": "application/json"}
    for path in ("/api/item", "/api/items"):
        answer = client.post(path, content=body, headers=headers)
        assert (answer.status_code, answer.json()["type"][-11:]) == (400, "not-an-item")


def test_what_is_refused_is_not_counted(client: httpx.Client) -> None:
    items = [{"ItemId": "a", "Timestamp": "soon"}, {"ItemId": "b"}]
    answer = client.post("/api/items", json=items).json()
    assert answer["RowAffected"] == 1
    assert "soon" in answer["Rejected"][0]
    assert client.post("/api/item", json=items[0]).status_code == 400
    assert client.post("/api/items", json=[]).json() == {"RowAffected": 0}


_PROGRAM = """
const { Gorse } = require('gorsejs');
const client = new Gorse({ endpoint: process.argv[1], secret: 'k' });
(async () => {
  const item = JSON.parse(process.argv[2]);
  const found = [];
  found.push(await client.upsertItem(item));
  found.push(await client.upsertItems([item, { ...item, ItemId: 'mug' }]));
  found.push(await client.updateItem('kettle', { IsHidden: true }));
  found.push(await client.insertItemCategory('kettle', 'tea'));
  found.push(await client.deleteItemCategory('kettle', 'tea'));
  found.push(await client.deleteItem('mug'));
  found.push(await client.getItem('kettle'));
  found.push(await client.getItems({ n: 10 }));
  found.push(await client.getRecommend({ userId: 'alice', cursorOptions: { n: 2 } }));
  found.push(await client.getRecommend({ userId: 'alice', category: 'kitchen' }));
  found.push(await client.getPopular({ category: 'kitchen' }));
  found.push(await client.getItemNeighbors({ itemId: 'kettle' }));
  const star = { FeedbackType: 'star', UserId: 'bob', ItemId: 'mug', Timestamp: new Date() };
  found.push(await client.insertFeedbacks([star]));
  console.log(JSON.stringify(found));
})();
"""


def test_the_javascript_sdk(client: httpx.Client, redis_client: redis.Redis, inbox: Path) -> None:
    node = shutil.which("node")
    found = node and subprocess.run([node, "-e", "require('gorsejs')"], capture_output=True)
    if not found or found.returncode:
        pytest.skip("gorsejs is not there: npm install gorsejs tslib, NODE_PATH=$PWD/node_modules")
    assert node
    redis_client.hset("feed:metadata:{1}", "kettle", b"packed")
    url = str(client.base_url).rstrip("/")
    given = [node, "-e", _PROGRAM, url, msgspec.json.encode(ITEM).decode()]
    done = subprocess.run(given, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    answers: Any = msgspec.json.decode(done.stdout)
    assert answers[:6] == [1, 2, 1, 1, 1, 1]
    assert answers[6] == ITEM
    assert answers[7] == {"Cursor": "", "Items": [ITEM]}
    assert answers[8:10] == [["x", "y"], ["x", "y"]]
    assert [[one["Id"] for one in listed] for listed in answers[10:12]] == [["y", "x"], ["x", "y"]]
    assert len(written(inbox)) == 8
