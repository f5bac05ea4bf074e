"""How a shard learns a batch, without Flink."""
