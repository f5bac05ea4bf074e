"""What is kept in Flink's state, as versioned bytes."""
