"""Whose items those of an interleaved list are.

In: nothing. Out: the numbers by which lists in memory and in the state say so.
"""

from __future__ import annotations

NEITHER, FIRST, SECOND = 0, 1, 2
"""Of neither variant, or where no list is interleaved; of the first variant; of the second."""
TEAMS = (FIRST, SECOND)
