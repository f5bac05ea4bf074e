"""The operators that Flink runs: the only code here that imports PyFlink."""
