"""`millirec report`: one HTML page about an evaluation or a running job."""

from flink_app.report.builder import report

__all__ = ["report"]
