"""The job's environment: Flink's configuration and a local stack of Kafka, Redis and Flink."""
