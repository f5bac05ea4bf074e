"""`millirec import`: what other recommenders export, as lines that the job reads."""

from flink_app.data.imports.importing import SYSTEMS, bring

__all__ = ["SYSTEMS", "bring"]
