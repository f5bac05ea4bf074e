"""`millirec fetch`: public data sets, from where their owners keep them."""

from flink_app.data.fetch.download import fetch

__all__ = ["fetch"]
