"""`millirec validate`: what the job would make of recorded events, before it runs."""

from flink_app.data.validate.validation import validate

__all__ = ["validate"]
