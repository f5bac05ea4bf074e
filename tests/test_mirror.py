"""Tests are where their sources are: if a module moves or goes, its test moves or goes too."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.documents import ROOT

WHOLE = {
    "udfs/learning/test_attribution_of_shards.py",
    "udfs/operators/test_user_learner_outputs.py",
    "udfs/events/test_event_types.py",
    "udfs/stores/test_redis_tls.py",
    "flink_app/config/test_models.py",
    "flink_app/data/test_any_form.py",
    "flink_app/serve/test_documented.py",
    "flink_app/serve/test_hostile.py",
    "flink_app/serve/test_job.py",
    "flink_app/serve/test_page.py",
    "flink_app/serve/test_page_operator.py",
    "flink_app/serve/test_page_people.py",
    "flink_app/serve/test_page_shop.py",
    "flink_app/serve/test_page_social.py",
    "flink_app/serve/test_page_video.py",
    "flink_app/serve/test_redis_cluster.py",
    "flink_app/serve/test_sentinel.py",
    "flink_app/serve/test_visitor.py",
    "flink_app/test_costs.py",
    "flink_app/test_forgotten.py",
    "flink_app/test_pseudonyms.py",
    "flink_app/test_real_data.py",
    "flink_app/test_redis_acl.py",
    "flink_app/test_redis_cluster.py",
    "flink_app/test_redis_refusals.py",
    "flink_app/test_savepoints.py",
}
"""Tests of more than one module, or of one under a special condition."""

TESTS = sorted(
    path for top in ("udfs", "flink_app") for path in (ROOT / "tests" / top).rglob("test_*.py")
)


@pytest.mark.parametrize("path", TESTS, ids=lambda path: str(path.relative_to(ROOT)))
def test_each_test_file_has_its_source(path: Path) -> None:
    place = path.relative_to(ROOT / "tests")
    if place.as_posix() not in WHOLE:
        assert (ROOT / place.with_name(path.name.removeprefix("test_"))).is_file()


@pytest.mark.parametrize("name", sorted(WHOLE))
def test_what_is_listed_is_there(name: str) -> None:
    assert (ROOT / "tests" / name).is_file()
