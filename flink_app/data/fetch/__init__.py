"""`millirec fetch`: downloads public data sets from their owners' sites, and networks."""

from flink_app.data.fetch.download import fetch
from flink_app.data.fetch.networks import fetch_network

__all__ = ["fetch", "fetch_network"]
