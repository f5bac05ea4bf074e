"""A folder of modules that take the place of packages which the job does without.

In: `PATH`, first among the folders where Python looks. Out: PyFlink is loaded without them.
"""

from __future__ import annotations

from pathlib import Path

PATH = str(Path(__file__).parent)
