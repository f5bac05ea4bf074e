"""The job under faults: what is killed, hung, refused and damaged, and that nothing is lost by it.

In: a real Kafka, Redis and Flink. Out: a table of faults, with what each lost, which has to be
nothing, and how long it took until lists came again. `python -m benchmarks.faults` runs them.
"""
