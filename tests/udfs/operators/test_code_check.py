"""Operators read their own version's bytes, and refuse those of another before unpickling them."""

from __future__ import annotations

import pickle
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest

import udfs
from udfs.errors import ServiceError
from udfs.operators import code_check
from udfs.operators.code_check import DIGEST, CodeChecked, digest
from udfs.operators.item_learner import ItemLearner
from udfs.operators.parse import Parse
from udfs.operators.stats import Stats
from udfs.operators.user_learner import UserLearner


class Operator(CodeChecked):
    def __init__(self, settings: list[int]) -> None:
        self.settings = settings


def test_an_operator_of_this_version_comes_back_whole() -> None:
    again = pickle.loads(pickle.dumps(Operator([1, 2])))
    assert type(again) is Operator
    assert again.settings == [1, 2]


def test_another_version_is_refused_before_its_settings_are_read(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    data = pickle.dumps(Operator([1, 2]))
    monkeypatch.setattr(code_check, "DIGEST", "0123456789ab")
    monkeypatch.setattr(pickle, "dumps", lambda _: b"no pickle")
    assert Operator([]).__reduce__()[1] == ("0123456789ab", b"no pickle")
    with pytest.raises(ServiceError, match=rf"{DIGEST}.*0123456789ab.*Restart the TaskManagers"):
        pickle.loads(data)


@pytest.mark.parametrize("kind", [Parse, UserLearner, ItemLearner, Stats])
def test_every_operator_is_code_checked(kind: type) -> None:
    assert kind.__mro__[1] is CodeChecked, "PyFlink's own class must not pickle it first"


def test_the_digest_is_of_the_sources_in_a_folder_or_an_archive(tmp_path: Path) -> None:
    archive, changed = tmp_path / "job.zip", tmp_path / "changed.zip"
    with zipfile.ZipFile(archive, "w") as same, zipfile.ZipFile(changed, "w") as other:
        root = Path(udfs.__file__).parent
        for file in root.rglob("*.py"):
            name = f"udfs/{file.relative_to(root).as_posix()}"
            text = file.read_text(encoding="utf-8")
            same.writestr(name, text)
            other.writestr(name, text + "# changed\n" if file.name == "contract.py" else text)
        other.writestr("udfs/notes.txt", "not a source")
    assert digest_in(archive) == DIGEST
    assert digest_in(changed) != DIGEST


def test_the_digest_is_of_sub_packages_too(tmp_path: Path) -> None:
    room = tmp_path / "room" / "inner"
    room.mkdir(parents=True)
    (tmp_path / "top.py").write_text("x = 1\n")
    digests = [digest(tmp_path)]
    for change in (
        lambda: (room / "deep.py").write_text("y = 1\n"),
        lambda: (room / "deep.py").write_text("y = 2\n"),
        lambda: (room / "deep.py").rename(room.parent / "deep.py"),
    ):
        change()
        digests.append(digest(tmp_path))
    (room / "notes.txt").write_text("not a source")
    assert digest(tmp_path) == digests[-1]
    assert len(set(digests)) == len(digests)


def digest_in(archive: Path) -> str:
    program = f"import sys; sys.path[:0] = [{str(archive)!r}]\n"
    program += "import udfs.operators.code_check as found\n"
    program += "assert '.zip' in found.__file__; print(found.DIGEST)"
    done = subprocess.run(
        [sys.executable, "-c", program],
        capture_output=True,
        text=True,
        check=True,
        cwd=archive.parent,
    )
    return done.stdout.strip()
