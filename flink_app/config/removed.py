"""Options that no longer exist: an error says what is in force instead of each.

In: nothing. Out: `REMOVED`, read by `load`. The constants have their reasons beside them.
"""

from __future__ import annotations

_ITEM_CF = "udfs/models/item_cf/neighbours.py"
_USER_CF = "udfs/models/user_cf/consumers.py"
_RANKER = "udfs/ranking/ranker.py"
_FEED = "udfs/feed/entries.py"

REMOVED = {
    "events.latest_ahead_s": "events more than a day (86400 s) ahead of the clock are rejected.",
    "item_cf.window_decay": f"it is always 3, see WINDOW_DECAY in {_ITEM_CF}.",
    "item_cf.floor": f"it is always 0.3, see FLOOR in {_ITEM_CF}.",
    "item_cf.backward": f"it is always 1, see BACKWARD in {_ITEM_CF}.",
    "item_cf.recent": f"it is always 20, see RECENT in {_ITEM_CF}.",
    "item_cf.position_decay": f"it is always 8, see POSITION_DECAY in {_ITEM_CF}.",
    "item_cf.shrink": f"it is always 4, see SHRINK in {_ITEM_CF}.",
    "item_cf.target_power": f"it is always 0.5, see TARGET_POWER in {_ITEM_CF}.",
    "item_cf.source_power": f"it is always 0.6, see SOURCE_POWER in {_ITEM_CF}.",
    "user_cf.recent": f"it is always 10, see RECENT in {_USER_CF}.",
    "user_cf.position_decay": f"the k-th of 10 items counts 1/k, see RECENT in {_USER_CF}.",
    "user_cf.neighbours": f"it is always 50, see NEIGHBOURS in {_USER_CF}.",
    "user_cf.said": f"20 on either side count, see REACH in {_USER_CF}.",
    "user_cf.shrink": f"it is always 4, see SHRINK in {_USER_CF}.",
    "user_cf.hermit": f"it is always 10, see ACTIVITY_SHRINK in {_USER_CF}.",
    "user_cf.power": f"it is always 0.5, see POWER in {_USER_CF}.",
    "ranker.hidden": f"it is always 8, see HIDDEN in {_RANKER}.",
    "ranker.learning_rate": f"it is always 0.2, see LEARNING_RATE in {_RANKER}.",
    "ranker.candidates": f"it is always 200, see CANDIDATES in {_RANKER}.",
    "ranker.samples": "the ranker learns from candidates alone, and draws nothing.",
    "ranker.train_per_batch": "the ranker learns from ranker.train_per_s events a second.",
    "lists.overload_ms": "a lag of more than 500 ms is an overload, see lists.coalesce_ms.",
    "quality.after": "a job tests after 0 events; `millirec evaluate --warmup N` after N.",
    "quality.sequential": "a test sees earlier micro-batches; `millirec evaluate --mode parallel` "
    "also shows it what the user did before in the same one.",
    "feed.publish_ms": f"it is always 200, see PUBLISH_MS in {_FEED}.",
    "feed.keep_s": f"it is always 30, see KEEP_S in {_FEED}.",
    "serve.stale_lists": "the server always keeps the last 10000 lists, see serve.stale_s.",
    "serve.events_timeout_s": "a request always waits up to 10 s until its events are durable.",
}
"""Name → what is in force instead, as a sentence."""
