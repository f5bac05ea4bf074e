"""What the documents say of the code is what the code says."""

from __future__ import annotations

import re
import subprocess
from pathlib import Path

import msgspec
import numpy as np
import pytest
from ruamel.yaml import YAML

from flink_app.config import Config
from flink_app.config.registry import OPTIONS
from flink_app.console import failures
from flink_app.simulator.scenarios import SCENARIOS
from tests.documents import DOCUMENTS, ROOT, anchors, blocks, commands, links
from udfs.accounts import Account, fields
from udfs.events import decode
from udfs.events.places import alternatives
from udfs.events.presets import PRESETS
from udfs.learning.quality import sums
from udfs.options.events import WEIGHTS
from udfs.options.sources import SOURCES

EVENTS = (ROOT / "docs" / "events.md").read_text(encoding="utf-8")
REDIS = (ROOT / "docs" / "redis.md").read_text(encoding="utf-8")
OPERATIONS = (ROOT / "docs" / "operations.md").read_text(encoding="utf-8")


@pytest.mark.parametrize("document", DOCUMENTS, ids=lambda path: str(path.relative_to(ROOT)))
def test_links_lead_somewhere(document: Path) -> None:
    for link in links(document):
        place, _, anchor = link.partition("#")
        target = (document.parent / place).resolve() if place else document
        assert target.exists(), link
        if anchor:
            assert anchor in anchors(target), link


@pytest.mark.parametrize("document", DOCUMENTS, ids=lambda path: str(path.relative_to(ROOT)))
def test_options_that_are_named_exist(document: Path) -> None:
    sections = "|".join(Config.__struct_fields__)
    text = document.read_text(encoding="utf-8")
    for name in re.findall(rf"`((?:{sections})\.[a-z_]+)", text):
        assert name in OPTIONS, name


def test_every_preset_is_in_the_table_with_its_field_names() -> None:
    rows = dict(re.findall(r"^\| `([\w-]+)` \| (.*) \|$", EVENTS, re.MULTILINE))
    assert set(PRESETS) <= set(rows)
    for name, preset in PRESETS.items():
        for word, kind in preset.types.items():
            assert f"{word} → {kind}" in rows[name]
        if not name.startswith("movielens"):
            for places in preset.fields.values():
                for place in alternatives(places):
                    assert f"`{place}`" in rows[name]


def test_every_reason_of_a_dead_letter_is_explained() -> None:
    assert decode.__doc__ is not None
    reasons = set(re.findall(r"\b[a-z]+(?:_[a-z0-9]+)+\b", decode.__doc__.split("reasons")[1]))
    for reason in reasons - {"dead_letters"}:
        assert f"`{reason}`" in EVENTS, reason


def test_the_weights_are_the_defaults() -> None:
    for kind, weight in WEIGHTS.items():
        shown = f"{weight:g}".replace("-", "−")
        assert re.search(rf"\| `{kind}` \| {shown} \|", EVENTS), kind


def test_the_fields_of_stats_are_all_explained() -> None:
    measures = sums(np.array([[0]]), np.array([0]), np.ones(1))
    account = Account(
        dead={"not_json": 1}, stages={"rank": 1}, items={0: 1}, feed={"read": 1},
        quality={f"served:{measure}": 1.0 for measure in measures} | {"repeats": 1.0},
    )  # fmt: skip
    found = fields(account, account, 1, account, 0, {"served": 1})
    quality = {field: field.split(":") for field in found if "quality:" in field}
    assert len(quality) == 2 * (len(measures) + 1) + 1
    for group, *_, measure in quality.values():
        assert f"`{group}:<list>:<measure>`" in REDIS
        assert f"`{measure}`" in REDIS or f"`{measure.replace('recall', '')}`" in REDIS, measure
    for field in found.keys() - quality.keys():
        shown = {
            "dead:not_json": "dead:<reason>", "stage:rank_us": "stage:<stage>_us",
            "feed:read_bytes": "feed:<what>_bytes",
        }  # fmt: skip
        assert f"`{shown.get(field, field)}`" in REDIS, field


def test_the_table_of_models_is_the_table_of_sources() -> None:
    models = (ROOT / "docs" / "models.md").read_text(encoding="utf-8")
    assert re.findall(r"^\| `([\w-]+)` \| .* \| \[`", models, re.MULTILINE) == list(SOURCES)


def test_the_exit_codes_are_those_of_the_command_line() -> None:
    codes = {failures.FINISHED, failures.FAILED, failures.USAGE, failures.SERVICE, failures.STOPPED}
    assert {int(code) for code in re.findall(r"^\| (\d+) \|", OPERATIONS, re.MULTILINE)} == codes


@pytest.mark.parametrize("document", DOCUMENTS, ids=lambda path: str(path.relative_to(ROOT)))
def test_examples_of_events_and_lists_are_json(document: Path) -> None:
    for block in blocks(document):
        if block.language == "json":
            lines = block.text.splitlines()
            for text in lines if lines[0].endswith("}") else [block.text]:
                msgspec.json.decode(text)


def _toml(text: str) -> None:
    msgspec.toml.decode(text)


def _yaml(text: str) -> None:
    YAML(typ="safe").load(text)


def _python(text: str) -> None:
    compile(text, "<document>", "exec")


def _shell(text: str) -> None:
    subprocess.run(["bash", "-n"], input=text, text=True, check=True)


@pytest.mark.parametrize("document", DOCUMENTS, ids=lambda path: str(path.relative_to(ROOT)))
def test_code_blocks_are_of_their_language(document: Path) -> None:
    readers = {"toml": _toml, "yaml": _yaml, "python": _python, "sh": _shell}
    for block in blocks(document):
        if block.language in readers:
            readers[block.language](block.text)


def test_targets_of_make_that_are_named_exist() -> None:
    makefile = (ROOT / "Makefile").read_text(encoding="utf-8")
    targets = set(re.findall(r"^([a-z]+):.*##", makefile, re.MULTILINE))
    named = {
        match
        for document in DOCUMENTS
        for command in commands(document)
        for match in re.findall(r"\bmake ([a-z]+)", command)
    }
    assert {"demo", "test"} <= named <= targets


def test_what_the_page_reads_of_an_item_is_told() -> None:
    page = ROOT / "flink_app" / "serve" / "page"
    scripts = "".join(file.read_text(encoding="utf-8") for file in page.glob("*.js"))
    own = {*re.findall(r"(?:text|moment)\(\w+, '(\w+)'\)", scripts), "image", "tags", "price"}
    named = own | set(re.findall(r"attribute\(\w+, '(\w+)'\)", scripts))
    assert {"author", "series", "published"} <= named
    http = (ROOT / "docs" / "http.md").read_text(encoding="utf-8")
    [row] = re.findall(r"^\| it reads of an item \|.*$", http, re.MULTILINE)
    assert named <= set(re.findall(r"`(\w+)`", row))


@pytest.mark.parametrize("name", SCENARIOS)
def test_scenarios_are_named_where_one_may_choose(name: str) -> None:
    makefile, benchmarks = (
        (ROOT / path).read_text(encoding="utf-8") for path in ("Makefile", "benchmarks/README.md")
    )
    [demo] = re.findall(r"^demo:.*$", makefile, re.MULTILINE)
    assert name in demo
    regret = benchmarks.partition("## Regret\n")[2].partition("\n## ")[0]
    assert name == "shop" or f"--scenario {name}`" in regret
