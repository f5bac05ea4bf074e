"""`millirec evaluate`: the real job over files, test then learn, and a report of it."""

from flink_app.evaluate.evaluation import evaluate

__all__ = ["evaluate"]
