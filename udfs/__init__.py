"""The operators of the job and the pure NumPy and Numba code they call."""
