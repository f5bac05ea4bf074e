"""The configuration: a frozen tree of options, how it is loaded, checked and shown.

In: a TOML file, the environment and `--set`. Out: a `Config` that every other module reads.
"""

from flink_app.config.load import Loaded, load
from flink_app.config.tree import Config

__all__ = ["Config", "Loaded", "load"]
