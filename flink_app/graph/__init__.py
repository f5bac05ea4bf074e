"""The parts of the job's graph, and Flink's options."""
