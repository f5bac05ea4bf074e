"""Events written to files, folders and Kafka."""
