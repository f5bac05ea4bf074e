"""`millirec replay`: recorded events, written as if they happened now."""

from flink_app.data.replay.playback import replay

__all__ = ["replay"]
