"""Connections to Redis and Kafka, checked before a job starts."""
