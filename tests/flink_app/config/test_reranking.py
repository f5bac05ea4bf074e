"""What must hold of the options of re-ranking."""

from __future__ import annotations

import pytest

from flink_app.config import load
from flink_app.config.check import check
from udfs.errors import ConfigError

GIVEN = ["source.paths=u.data"]
EXPOSED = "rules=[{when = 'price < 9', exposure = 0.5}, {when = 'price > 9', exposure = 0.3}]"


@pytest.mark.parametrize(
    ("more", "words"),
    [
        (['rerank.order=["calibraton"]'], "did you mean calibration"),
        (['rerank.order=["shuffle"]'], "choose from debias"),
        (['rerank.order=["debias", "debias"]'], "2 times: name it once"),
        (["rerank.diversity=0.2", 'rerank.order=["debias"]'], 'rerank.order has no "diversity"'),
        ([EXPOSED, 'rerank.order=["debias"]'], "exposure of a rule is set, but rerank.order has"),
        ([EXPOSED.replace("0.3", "0.45")], r"ask for 0\.95 of all exposure"),
    ],
)
def test_what_does_not_fit_is_refused(more: list[str], words: str) -> None:
    with pytest.raises(ConfigError, match=words):
        check(load(None, [*GIVEN, *more], {}).config)


def test_what_fits_is_not_refused() -> None:
    check(load(None, [*GIVEN, EXPOSED, "rerank.diversity=0.2"], {}).config)
    check(load(None, [*GIVEN, 'rerank.order=["diversity"]', "rerank.diversity=1"], {}).config)
