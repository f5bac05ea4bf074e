from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from flink_app.simulator import names
from udfs.errors import MillirecError


@given(st.integers(0, 10**6))
def test_an_id_is_parsed_to_its_number(number: int) -> None:
    assert names.number_of(f"i{number}", "i", number + 1, "shop") == number


@pytest.mark.parametrize("name", ["", "i", "u3", "i10", "i-1", "i03", "i3 ", "i³", "i٣"])
def test_an_unknown_id_is_reported(name: str) -> None:
    with pytest.raises(MillirecError, match="its ids go from i0 to i9"):
        names.number_of(name, "i", 10, "shop")
