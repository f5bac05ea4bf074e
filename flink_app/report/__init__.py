"""`millirec report`: a run as one page of HTML, of an evaluation or of a job that is running."""

from flink_app.report.builder import report

__all__ = ["report"]
