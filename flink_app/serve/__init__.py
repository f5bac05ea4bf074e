"""`millirec serve`: lists, events and the live page over HTTP. Needs the extra `serve`, not Flink.

In: requests; lists that the job has written to Redis. Out: answers in JSON; events where the job
reads them. `app.Application` puts the parts together, each of which is a file here.
"""
