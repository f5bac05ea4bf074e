"""Measurements: run by hand or by `make bench`, never by the tests."""

import os

# As in the job's processes, and before NumPy is loaded: a second thread of OpenBLAS would spin for
# milliseconds after each product, and CPU time count it.
os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")
