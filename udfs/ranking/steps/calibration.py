"""Calibration: a list mirrors the mix of categories that its user has taken (Steck 2018).

In: candidates, histories, the categories of items. Out: values plus what each candidate adds to the
likeness of the mixes, see `calibration_kernels`. Lists of users without a history, or none of whose
items has a category, stay as they are.
"""

from __future__ import annotations

import numpy as np

from udfs.direct import Direct
from udfs.models.model import Shop
from udfs.ranking.steps import calibration_kernels
from udfs.ranking.steps.candidates import Candidates


class Calibration:
    """See the module.

    Args:
        strength: λ. n: items of a list that are chosen one by one.
    """

    def __init__(self, strength: float, shop: Shop, n: int) -> None:
        self._strength, self._shop, self._n = strength, shop, n
        self._places = np.full(64, -1, np.int32)
        self._kernel = Direct(calibration_kernels.calibrate)

    def weigh(self, candidates: Candidates) -> None:
        """See `udfs.ranking.steps.candidates.Step`."""
        metadata, history = self._shop.catalogue.metadata, self._shop.users.view
        if len(self._places) < len(metadata.labels):
            self._places = np.full(2 * len(metadata.labels), -1, np.int32)
        memory = metadata.groups, self._places
        self._kernel(*candidates, history, *memory, self._n, self._strength)
