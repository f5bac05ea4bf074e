"""What all sources of evidence by item share.

Evidence is an amount for each item that a source speaks for, 0 for all others.
"""

from __future__ import annotations

import numpy as np

ZERO = np.float32(0.0)


FAINTEST = np.float32(1e-30)  # what evidence that cancels out becomes, so that it stays found
