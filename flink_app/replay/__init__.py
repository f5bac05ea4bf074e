"""`millirec replay`: recorded events, written as if they happened now."""

from flink_app.replay.command import replay

__all__ = ["replay"]
