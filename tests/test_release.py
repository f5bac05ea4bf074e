"""A release has the version of the changelog, and is refused where they differ."""

from __future__ import annotations

import doctest
import importlib.util
import re
from types import ModuleType

import pytest

from flink_app import __version__
from tests.documents import ROOT


@pytest.fixture(scope="module")
def release() -> ModuleType:
    spec = importlib.util.spec_from_file_location("release", ROOT / ".ci" / "release.py")
    assert spec and spec.loader
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def test_what_is_refused(release: ModuleType) -> None:
    failed, tried = doctest.testmod(release)
    assert tried and not failed


def test_the_version_is_the_one_that_the_changelog_names_first() -> None:
    changelog = (ROOT / "CHANGELOG.md").read_text(encoding="utf-8")
    named = re.search(r"^(?:What will be |## \[)(\d[\w.]*\w)", changelog, re.MULTILINE)
    assert named and named[1] == __version__
