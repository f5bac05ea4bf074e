"""`millirec validate`: what the job would make of recorded events, before it runs."""

from flink_app.validate.command import validate

__all__ = ["validate"]
