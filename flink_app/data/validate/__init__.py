"""`millirec validate`: checks recorded events before a job reads them."""

from flink_app.data.validate.validation import validate

__all__ = ["validate"]
