"""What the job writes to outside of Flink: the only code that knows a store's protocol."""
