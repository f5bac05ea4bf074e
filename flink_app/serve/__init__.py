"""`millirec serve`: lists, events and the live page over HTTP. Needs the extra `serve`, not Flink.

In: requests; lists that the job has written to Redis. Out: JSON responses; events, written where
the job reads them. `app.Application` assembles the parts, one file each.
"""
