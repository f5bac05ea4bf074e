"""`millirec demo`: a simulated shop, the whole job on this machine, and lists that follow clicks.

`demo(60)` shows it for a minute; `demo()` as long as DEMO_SECONDS says, or until Ctrl-C.
"""

from flink_app.demo.story import demo

__all__ = ["demo"]
