from __future__ import annotations

from udfs.accounts import Account
from udfs.learning.window import Window


def test_a_window_forgets_after_a_minute() -> None:
    window = Window()
    for second in range(100):
        window.add(second, Account(learned=1))
        window.add(second, Account(learned=1, lists=3))
    assert window.total(100, 5) == Account(learned=10, lists=15)
    assert window.total(99, 5).learned == 10, "the second under way does not count"
    assert window.total(100, 1000).learned == 120
    assert window.total(1000, 60) == Account()
