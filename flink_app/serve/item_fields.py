"""What is known of items, for filters: as the job writes it for pages.

In: ids of items, as they are in Redis. Out: the JSON under `item:<id>` of each (`bytes | None`).
What was read is used for a second, and forgotten when items are hidden or shown again.
"""

from __future__ import annotations

import time
from collections.abc import Iterable, Mapping

from flink_app.serve.reader import Reader
from udfs.lists.keys import METADATA

KEPT_S = 1.0
"""How long a value is used without asking Redis again."""
MOST = 5_000
"""How many values are kept. They are let go of all together, which takes half a millisecond; those
that many requests ask for are popular ones, and soon there again."""


class ItemFields:
    """See the module; use it in one event loop."""

    def __init__(self, reader: Reader, prefix: str) -> None:
        self._reader, self._head = reader, prefix + METADATA
        self._known: dict[str, bytes | None] = {}
        self._since = 0.0

    async def of(self, items: Iterable[str]) -> Mapping[str, bytes | None]:
        """The values of these items, and of others; one round trip for those that are not known.

        Raises:
            Away: Redis does not answer.
        """
        now = time.monotonic()
        if now - self._since > KEPT_S or len(self._known) > MOST:
            self.clear()
            self._since = now
        known = self._known  # of this second, whatever becomes of it while Redis is asked
        missing = [item for item in dict.fromkeys(items) if item not in known]
        if missing:
            values = await self._reader.together([self._head + item for item in missing])
            known.update(zip(missing, values, strict=True))
        return known

    def clear(self) -> None:
        """Forget all values."""
        self._known = {}
