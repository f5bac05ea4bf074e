"""The lists on docs/lists.md are those that the options beside them make."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from flink_app.config import load
from tests.documents import ROOT
from tests.twelve import N, shop, twelve

PAGE = (ROOT / "docs" / "lists.md").read_text("utf-8")
PAIRS = re.findall(r"```toml\n((?:(?!```).)*)```\n\n```text\n(.*?)```", PAGE, re.DOTALL)


def test_the_page_begins_with_twelve_lanterns() -> None:
    first = re.search(r"```text\n(.*?)```", PAGE, re.DOTALL)
    assert first is not None
    assert first[1].replace(",", "").split() == twelve()
    assert {shop()[item][0]["categories"][0] for item in twelve()} == {"lanterns"}


@pytest.mark.parametrize(("options", "listed"), PAIRS)
def test_a_list_is_what_its_options_make(options: str, listed: str, tmp_path: Path) -> None:
    file = tmp_path / "shop.toml"
    file.write_text(options, "utf-8")
    config = load(file, [], {}).config
    served = 3000 if any(rule.exposure for rule in config.rules) else 1
    assert listed.replace(",", "").split() == twelve(config.rerank, config.rules, served)


def test_the_page_ends_with_twelve_good_items() -> None:
    assert len(PAIRS) >= 6
    last = PAIRS[-1][1].replace(",", "").split()
    kinds = [shop()[item][0]["categories"][0] for item in last]
    assert len({*last}) == N and max(map(kinds.count, kinds)) <= 3
    assert len({*kinds}) == 6, "something of everything"
