"""The job on this machine: Java, a Redis, one process."""
