"""`python -m benchmarks.peers`: millirec compared with alternatives, on the same events.

Each peer is a process, `python -m MODULE FOLDER URL FACTORS …`, that reads files of JSON lines from
FOLDER in the order of their names, as they appear, and writes to the Redis at URL as millirec does
(docs/redis.md): `rec:<user>`, the best 10 items that the user has not had, with an id that ends
with the number of the user's events it counts; the user's id on channel `rec`; and `received`,
`learned` and `lists` in the hash `stats`.
"""
