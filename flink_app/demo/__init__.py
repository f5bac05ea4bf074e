"""`millirec demo`: a simulated platform, the job on this machine, and lists that follow clicks.

`demo(60)` runs for a minute; `demo()` for DEMO_SECONDS, or until Ctrl-C.
"""

from flink_app.demo.story import demo

__all__ = ["demo"]
