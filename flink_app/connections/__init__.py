"""Redis and Kafka, asked before a job starts."""
