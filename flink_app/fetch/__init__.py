"""`millirec fetch`: public data sets, from where their owners keep them."""

from flink_app.fetch.command import fetch

__all__ = ["fetch"]
