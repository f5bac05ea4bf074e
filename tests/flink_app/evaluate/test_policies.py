"""`millirec evaluate --policy`, as it is run."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest

from flink_app.cli import main as cli


def main(arguments: list[str]) -> int:
    with pytest.raises(SystemExit) as ended:
        cli(arguments)
    return int(ended.value.code or 0)


def written(path: Path, lists: int = 200) -> Path:
    rng, rows = np.random.default_rng(1), []
    for n in range(lists):
        taste = rng.random(4)
        order = rng.permutation(4)
        place = [0] * 4
        for k, item in enumerate(order[:2].tolist()):
            place[item] = k + 1
        row = {"user": f"u{n}", "taken": "", "items": [*"abcd"], "position": place}
        row |= {"propensity": [0.5] * 4, "features": {"taste": taste.tolist()}}
        for k in order[:2].tolist():
            if rng.random() < 0.8 * taste[k] * 0.5 ** (place[k] - 1):
                row["taken"] = "abcd"[k]
        rows.append(json.dumps(row))
    path.write_text("\n".join(rows))
    return path


def test_a_better_order_is_worth_more(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    log, out = written(tmp_path / "ranked.jsonl"), tmp_path / "out" / "figures.json"
    asked = ["--policy", "taste", "--policy", "ranker", "--patience", "0.5"]
    assert main(["evaluate", str(log), *asked, "--out", str(out)]) == 0
    found = json.loads(out.read_text())
    assert found["lists"] == 200
    for name in ("ips", "snips", "dr"):
        assert (
            found["policies"]["taste"][name]["value"] > found["policies"]["ranker"][name]["value"]
        )
    shown = capsys.readouterr().err
    assert "clicks per list, 200 lists" in shown and "taste" in shown and "as served" in shown
    assert main(["evaluate", str(log), *asked]) == 0
    assert json.loads(capsys.readouterr().out) == found


def test_what_is_wrong_is_said(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    log = str(written(tmp_path / "ranked.jsonl", 10))
    for arguments, words in (
        (["--policy", "taste", "--patience", "2"], "--patience is 2"),
        (["--policy", "best"], "is not a policy"),
        (["--policy", "taste"], "the log has 10 lists"),
    ):
        assert main(["evaluate", log, *arguments]) != 0
        assert words in capsys.readouterr().err
