"""All places that hold something of a user, and for how long: one list, which tests hold complete.

In: nothing. Out: `PLACES`, of which docs/privacy.md has a table; `udfs.learning.impersonal` has the
names of what holds nothing of any user. `udfs.learning.rights_step` empties the places when a user
is forgotten. Tests look for places that are not listed: handles of Flink's state in the operators,
keys in Redis, attributes in which a user's id is found, tables that the catalogue keeps.
"""

from __future__ import annotations

from typing import NamedTuple

STATE, REDIS, MEMORY, OUTSIDE = "Flink's state", "Redis", "memory", "outside"
CASSANDRA = "Cassandra"


class Place(NamedTuple):
    """A place.

    Attributes:
        where: `STATE`, `REDIS`, `CASSANDRA`, `MEMORY` or `OUTSIDE`. names: "operator: handle";
            beginnings of keys; tables; "Class.attribute"; what it is.
        holds: what of a user. until: for how long, unless the user is forgotten.
        option: says so; "" if none does. forgotten: what happens then.
    """

    where: str
    names: tuple[str, ...]
    holds: str
    until: str
    option: str = ""
    forgotten: str = "at once"


_IDLE = "days without an event"
_HELD = "as many days, or those of `privacy.checkpoints_days` if they are more"
_TOMBSTONE = "a tombstone at once; brokers remove older records within a day, and it after seven"
_LRU = "until others need the room"
PLACES = (
    Place(
        STATE, ("user learner: users",), "factor, counts, times", _IDLE, "state.user_expiry_days"
    ),
    Place(
        STATE,
        ("user learner: history",),
        "items taken, liked or not",
        "so many items",
        "state.history",
    ),
    Place(STATE, ("user learner: people",), "profile, consent", _IDLE, "state.user_expiry_days"),
    Place(
        STATE, ("user learner: idle",), "that the user was there", _IDLE, "state.user_expiry_days"
    ),
    Place(
        STATE,
        ("user learner: ids",),
        "ids of events",
        "seconds",
        "events.deduplicate_s",
        "ids that name the user become hashes",
    ),
    Place(
        STATE,
        ("user learner: due",),
        "whose list is postponed",
        "milliseconds",
        "lists.coalesce_ms",
    ),
    Place(
        STATE,
        ("user learner: queued",),
        "events that wait",
        "a micro-batch",
        "job.window_ms",
        "they are learned first",
    ),
    Place(
        STATE,
        ("user learner: forgotten",),
        "that a digest was forgotten, or opted out",
        f"{_HELD}; an opt-out stays",
        "privacy.source_days",
        "that is the mark",
    ),
    Place(
        STATE,
        ("user learner: crowd",),
        "how fast, broadly and regularly the user acts",
        _IDLE,
        "crowd.guard",
    ),
    Place(
        STATE,
        ("user learner: contributed",),
        "the item of the last day that counts for published lists",
        "two days",
        "privacy.epsilon",
    ),
    Place(STATE, ("user learner: outcomes",), "last 16 lists", _IDLE, "quality.attribution_days"),
    Place(STATE, ("user learner: experiments",), "variants, sums", _IDLE, "state.user_expiry_days"),
    Place(STATE, ("user learner: noted",), "the last search, its words", "half an hour"),
    Place(
        STATE,
        ("user learner: noted",),
        "how often items were shown in vain, if that is on",
        "until it has faded",
        "rerank.repeats_half_life_s",
    ),
    Place(
        STATE,
        ("user learner: joined", "identity: ids"),
        "which ids are one person, and what each said",
        _IDLE,
        "state.user_expiry_days",
    ),
    Place(
        STATE, ("identity: pages",), "the last events of each id", "so many events", "identity.keep"
    ),
    Place(STATE, ("identity: seen",), "that the id was there", _IDLE, "state.user_expiry_days"),
    Place(
        STATE,
        ("identity: duplicates",),
        "ids of events",
        "seconds",
        "events.deduplicate_s",
        "ids that name the user become hashes",
    ),
    Place(
        STATE,
        ("identity: forgotten",),
        "that a digest was forgotten",
        _HELD,
        "privacy.source_days",
        "that is the mark",
    ),
    Place(REDIS, ("rec:",), "the list", "seconds", "redis.expiry_s"),
    Place(REDIS, ("kept:",), "what follows the list", "seconds", "redis.expiry_s"),
    Place(REDIS, ("factor:",), "the factor", "seconds", "redis.expiry_s"),
    Place(REDIS, ("export:", "export:why:"), "answers to questions", "seconds", "privacy.export_s"),
    Place(
        REDIS,
        ("forget:",),
        "when a digest was forgotten",
        _HELD,
        "privacy.source_days",
        "that is the receipt",
    ),
    Place(
        CASSANDRA,
        ("lists",),
        "the list, if that is on",
        "days",
        "cassandra.lists_days",
        "right after, once Cassandra answers",
    ),
    Place(
        CASSANDRA,
        ("history",),
        "events, under the id of the person, if that is on",
        "days since they happened",
        "cassandra.history_days",
        "right after, once Cassandra answers",
    ),
    Place(
        MEMORY,
        ("Users._slots", "Users.names", "Users columns"),
        "what the state has",
        _LRU,
        "state.user_cache",
    ),
    Place(MEMORY, ("Users.others", "Ids._cached"), "as in the state", _LRU, "state.user_cache"),
    Place(MEMORY, ("Ids.reminded",), "that the user has opted out", "the message that is taken"),
    Place(MEMORY, ("_Watched",), "as in the state", _LRU, "state.user_cache"),
    Place(MEMORY, ("UserShard.again",), "whose ids were linked last", "a minute"),
    Place(MEMORY, ("Profiles",), "segments, what is liked", _LRU, "state.user_cache"),
    Place(MEMORY, ("Follows",), "whom the user follows", _LRU, "state.user_cache"),
    Place(MEMORY, ("Touched",), "what was touched last, as numbers", _LRU, "state.user_cache"),
    Place(MEMORY, ("Impressions",), "as in the state", _LRU, "state.user_cache"),
    Place(MEMORY, ("Repeats._changed",), "whose impressions have changed", "a batch"),
    Place(MEMORY, ("Consumers",), "who took an item last, by number", _LRU, "user_cf.consumers"),
    Place(MEMORY, ("Searches._searches", "Searches._changed"), "the last search", "half an hour"),
    Place(MEMORY, ("UserShard.due",), "as in the state", "milliseconds", "lists.coalesce_ms"),
    Place(
        MEMORY,
        ("Duplicates._seen", "Duplicates._members"),
        "as in the state",
        "seconds",
        "events.deduplicate_s",
        "ids that name the user become hashes",
    ),
    Place(
        MEMORY,
        ("BatchQueue._waiting",),
        "as in the state",
        "a micro-batch",
        "job.window_ms",
        "they are learned first",
    ),
    Place(
        MEMORY,
        ("Recent.names", "Refill._since", "Refill._recent"),
        "who was active last",
        "a minute, or 32 users of a shard",
    ),
    Place(
        MEMORY,
        ("parse: Pseudonyms._known",),
        "the id and its pseudonym",
        "until 50,000 others came, if pseudonyms are on",
        "privacy.pseudonyms",
        "as said: it is never written",
    ),
    Place(MEMORY, ("_Had",), "the last list, of the share that is logged", _LRU, "ranker.log"),
    Place(MEMORY, ("RankerLog._made",), "what the ranker ranked", "the batch", "ranker.log"),
    Place(MEMORY, ("ListsJson._out",), "the lists written last", "the next batch"),
    Place(
        MEMORY,
        ("Collected._lists", "Collected._events", "Collected._erased"),
        "what goes to Cassandra",
        "the batch",
        "cassandra.hosts",
    ),
    Place(
        MEMORY,
        ("millirec serve: Lists._known",),
        "the list, for when Redis is down",
        "seconds",
        "serve.stale_s",
        "at once in the server that is asked; in others as said",
    ),
    Place(
        MEMORY,
        ("millirec serve: Streams._open",),
        "whose stream is open",
        "while it is open",
        "",
        "told that the list is gone",
    ),
    Place(
        OUTSIDE,
        ("checkpoints and savepoints",),
        "the state as it was",
        "days",
        "privacy.checkpoints_days",
        "until then",
    ),
    Place(
        OUTSIDE,
        ("what the job reads: Kafka, files",),
        "the lines themselves",
        "days",
        "privacy.source_days",
        "until then; a job that reads them again refuses them",
    ),
    Place(
        OUTSIDE, ("the Kafka topic of lists",), "the list", _IDLE, "lists_topic.topic", _TOMBSTONE
    ),
    Place(
        OUTSIDE,
        ("what the ranker ranked",),
        "of a share of them the last items and what was taken; the id only if that is on",
        "as you keep it",
        "ranker.log",
        "not touched: delete it by its age",
    ),
    Place(
        OUTSIDE,
        ("dead letters",),
        "lines that cannot be used, as they came",
        "as you keep them",
        "dead_letters.kind",
        "not touched: they may name anybody",
    ),
)
"""The places."""


def names(where: str) -> set[str]:
    """The names of all listed places of one sort."""
    return {name for place in PLACES if place.where == where for name in place.names}


def table() -> list[str]:
    """The list as a table in Markdown, for docs/privacy.md."""
    rows = [
        "| where | what of a user | for how long | option | once forgotten |",
        "|---|---|---|---|---|",
    ]
    for place in PLACES:
        where = f"{place.where}: " + ", ".join(f"`{_short(name)}`" for name in place.names)
        option = f"`{place.option}`" if place.option else ""
        rows.append(f"| {where} | {place.holds} | {place.until} | {option} | {place.forgotten} |")
    return rows


def _short(name: str) -> str:
    return name.removeprefix("user learner: ").removeprefix("millirec serve: ")
