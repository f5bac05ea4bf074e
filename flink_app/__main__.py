"""`python -m flink_app` is `millirec`."""

from flink_app.cli import main

main()
