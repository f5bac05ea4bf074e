"""What a job has written, served: lists, and candidates ranked by the factors it has learned."""

from __future__ import annotations

from pathlib import Path

import msgspec
import numpy as np
import pytest

from tests.flink_app.jobs import run
from tests.flink_app.serve.servers import serving
from tests.flink_app.serve.test_factors import rank

pytestmark = pytest.mark.job

SETTINGS = ("redis.factors=true", "lists.model=mf", "lists.exclude_consumed=false")


def test_candidates_are_ranked_as_the_jobs_own_list(redis_url: str, tmp_path: Path) -> None:
    """A list is made of the factors as of its user's last event, `/rank` reads those of today: they
    are the same factors for the user of the very last event."""
    random = np.random.default_rng(5)
    pairs = [*zip(random.integers(0, 20, 3000), random.zipf(1.3, 3000) % 40, strict=True), (0, 1)]
    events = tmp_path / "events.jsonl"
    events.write_bytes(
        b"\n".join(
            msgspec.json.encode({"user": f"u{user}", "item": f"i{item}", "type": "click"})
            for user, item in pairs
        )
    )
    run(redis_url, f'source.paths=["{events}"]', f"dead_letters.path={tmp_path}", *SETTINGS)
    with serving(redis_url, "redis.factors=true") as client:
        listed = client.get("/recommend/u0").json()
        assert (listed["source"], len(listed["items"])) == ("mf", 20)
        answer = rank(client, "u0", [one["item"] for one in listed["items"]][::-1])
        assert (answer["known"], answer["source"]) == (True, "mf")
        assert [one["item"] for one in answer["items"]] == [one["item"] for one in listed["items"]]
        answer = rank(client, "u0", ["i1", "nothing", "i2"])
        assert {one["item"]: one["known"] for one in answer["items"]} == {
            "i1": True, "i2": True, "nothing": False
        }  # fmt: skip
        popular = [one["item"] for one in client.get("/popular").json()["items"]]
        for user in ("u0", "u7", "nobody"):
            had = {f"i{item}" for number, item in pairs if f"u{number}" == user}
            answer = client.get("/popular", params={"user": user}).json()
            assert [one["item"] for one in answer["items"]] == [i for i in popular if i not in had]
