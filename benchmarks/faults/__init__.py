"""The job under faults: processes are killed or paused, writes refused, files damaged.

In: a real Kafka, Redis and Flink. Out: a table of faults, with what each lost, which must be
nothing, and the time until lists were written again. `python -m benchmarks.faults` runs them.
"""
