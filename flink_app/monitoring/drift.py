"""Detects falling quality: ADWIN over the tests of the lists that users were served.

In: how many tests there have been, and in how many the item was among the first 10, both since the
job began. Out: how often, and when, that share has fallen by more than chance explains.

ADWIN (Bifet, Gavaldà: *Learning from Time-Varying Data with Adaptive Windowing*, 2007; River's)
keeps the longest window whose older and newer parts have the same mean, and drops the older part
if they differ. It needs a confidence, but neither a threshold nor a baseline.
"""

from __future__ import annotations

import logging

from river.drift import ADWIN

log = logging.getLogger(__name__)

DELTA = 0.002
"""River's default; a smaller value makes an alarm surer, and later."""
_MOST = 10_000
"""Tests taken from one look; more, after a long silence, are taken as so many of the same share."""


class Drift:
    """Detects falls from two totals that are looked at now and then.

    Attributes:
        tests, hits: the totals of the last look. falls: how many were found. fell_at: when the
            last of them was, Unix time in seconds; 0.0 if there was none.
    """

    def __init__(self, delta: float = DELTA) -> None:
        self._adwin = ADWIN(delta=delta)
        self._begun = False
        self.tests = self.hits = 0
        self.falls = 0
        self.fell_at = 0.0

    @property
    def width(self) -> int:
        """How many tests the window has."""
        return int(self._adwin.width)

    def look(self, tests: int, hits: int, now_s: float) -> None:
        """Take in the tests since the last look.

        Which of them were hits is not known, so hits are spread evenly over them. Totals below
        those of the last look are those of a job that went back to a checkpoint, or of another.
        """
        count, found = tests - self.tests, hits - self.hits
        begun, self._begun = self._begun, True
        self.tests, self.hits = tests, hits
        if not begun or count < 0 or found < 0:
            return
        if count > _MOST:
            count, found = _MOST, found * _MOST // count
        for n in range(count):
            self._take((n + 1) * found // count - n * found // count, now_s)

    def _take(self, hit: int, now_s: float) -> None:
        before = self._adwin.estimation
        self._adwin.update(hit)
        after = self._adwin.estimation
        if self._adwin.drift_detected and after < before:
            self.falls += 1
            self.fell_at = now_s
            log.warning(
                "the quality of the lists has fallen: recall@10 was %.4f and is %.4f over the last "
                "%d tests. See what changed: a producer, the catalogue, the settings.",
                before,
                after,
                self.width,
            )
