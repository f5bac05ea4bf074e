"""`python -m flink_app` runs `millirec`."""

from flink_app.cli import main

main()
