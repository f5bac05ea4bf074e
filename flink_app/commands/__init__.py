"""Commands of `millirec` that stand in files of their own; `flink_app.cli` imports them."""
