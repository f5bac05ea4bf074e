"""`millirec fetch`: downloads public data sets from their owners' sites."""

from flink_app.data.fetch.download import fetch

__all__ = ["fetch"]
