"""What surrounds the job: Flink's configuration and a local stack of Kafka, Redis and Flink."""
