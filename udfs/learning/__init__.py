"""What a shard does with a batch, without Flink."""
