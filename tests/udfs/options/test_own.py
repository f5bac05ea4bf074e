from __future__ import annotations

import pytest

from udfs.models.options import RankerOptions
from udfs.models.settings import Settings
from udfs.options.own import BUILT_IN_RANKER, OWN_RANKER, beside, every_beside
from udfs.options.sequence import Sequence


@pytest.mark.parametrize(
    ("sections", "names"),
    [
        ({"sequence": Sequence(shadow=True)}, ()),
        ({"sequence": Sequence(model="m")}, ("sequence",)),
        ({"ranker": RankerOptions(model="m")}, (BUILT_IN_RANKER,)),
        (
            {
                "sequence": Sequence(model="m", shadow=True),
                "ranker": RankerOptions(model="m", shadow=True),
            },
            ("sequence", OWN_RANKER),
        ),
    ],
)
def test_lists_that_are_tested_besides(sections: dict[str, object], names: tuple[str, ...]) -> None:
    assert beside(Settings(**sections)) == names  # type: ignore[arg-type]
    assert {*names} <= {*every_beside()}
