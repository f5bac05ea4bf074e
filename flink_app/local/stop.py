"""What asks a run to stop: Ctrl-C, SIGTERM, a closed terminal.

In: signals. Out: a flag that the run looks at, or KeyboardInterrupt.
"""

from __future__ import annotations

import signal
from types import FrameType
from typing import Any


class Stop:
    """Context manager: Ctrl-C, SIGTERM and a closed terminal.

    Until `gently` is set they raise KeyboardInterrupt; then the first one is only noted, so that a
    job can be cancelled and its totals read, and a second one raises.
    """

    _SIGNALS = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)

    def __init__(self) -> None:
        self.gently = False
        self.requested = False
        self._before: dict[int, Any] = {}

    def __enter__(self) -> Stop:
        for number in self._SIGNALS:
            if number != signal.SIGHUP or signal.getsignal(number) is not signal.SIG_IGN:  # nohup
                self._before[number] = signal.signal(number, self._on_signal)
        return self

    def __exit__(self, *_: object) -> None:
        for number, handler in self._before.items():
            signal.signal(number, handler)

    def _on_signal(self, _number: int, _frame: FrameType | None) -> None:
        if self.requested or not self.gently:
            raise KeyboardInterrupt
        self.requested = True
