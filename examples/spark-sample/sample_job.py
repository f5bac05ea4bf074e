"""The sample job: Spark Structured Streaming reads `user_events`, fits ALS, writes lists.

`python sample_job.py BROKERS FOLDER [JARS]`. It follows Spark's own guides: Kafka's source and sink
from the integration guide, `foreachBatch` for what streams cannot do themselves, and ALS with
`implicitPrefs` and `recommendForUserSubset` from the guide to collaborative filtering. Each trigger
begins when the last one has ended. JARS are those of `KAFKA`, with commas between, where Spark
cannot fetch them itself.
"""

from __future__ import annotations

import os
import sys
from pathlib import Path

from pyspark.ml.feature import IndexToString, StringIndexer
from pyspark.ml.recommendation import ALS
from pyspark.sql import DataFrame, SparkSession
from pyspark.sql import functions as f

KAFKA = "org.apache.spark:spark-sql-kafka-0-10_2.13:4.2.0"
LENGTH = 10


def session(jars: str = "") -> SparkSession:
    """Spark on all cores, with a partition for each of them instead of 200."""
    cores = str(os.cpu_count())
    options = {
        **({"spark.jars": jars} if jars else {"spark.jars.packages": KAFKA}),
        "spark.sql.shuffle.partitions": cores,
        "spark.default.parallelism": cores,
        "spark.sql.adaptive.enabled": "false",  # it replans after each shuffle of a small job
        "spark.driver.memory": "4g",
        "spark.driver.bindAddress": "127.0.0.1",
        "spark.driver.host": "127.0.0.1",
        "spark.ui.enabled": "false",
    }
    return SparkSession.builder.master("local[*]").config(map=options).getOrCreate()


class Refit:
    """The work of a trigger: the events join the history, ALS is fitted to all of it, and the lists
    of the users in the trigger are written."""

    def __init__(self, brokers: str, history: str) -> None:
        self._brokers, self._history = brokers, history
        cores = os.cpu_count() or 1
        self._als = ALS(
            rank=20,
            regParam=0.02,
            alpha=1.0,
            implicitPrefs=True,
            seed=1,
            userCol="user_number",
            itemCol="item_number",
            ratingCol="times",
            numUserBlocks=cores,
            numItemBlocks=cores,
        )

    def __call__(self, batch: DataFrame, _: int) -> None:
        """Handle one micro-batch."""
        batch = batch.coalesce(1).persist()
        if batch.isEmpty():
            return
        batch.write.mode("append").parquet(self._history)
        history = batch.sparkSession.read.parquet(self._history)
        times = history.groupBy("user", "item").agg(f.count("*").alias("times")).cache()
        numbered = StringIndexer(
            inputCols=["user", "item"], outputCols=["user_number", "item_number"]
        ).fit(times)
        rows = numbered.transform(times).withColumns(
            {name: f.col(name).cast("int") for name in ("user_number", "item_number")}
        )
        model = self._als.fit(rows.cache())
        touched = rows.join(batch.select("user").distinct(), "user").cache()
        # ALS cannot leave out what a user has had, so it is asked for as many more.
        had = touched.groupBy("user", "user_number").agg(
            f.count("*").alias("had"), f.sum("times").alias("events")
        )
        most = had.agg(f.max("had")).first()[0]
        best = model.recommendForUserSubset(had.select("user_number"), LENGTH + most)
        ranked = best.select(
            "user_number", f.posexplode("recommendations").alias("place", "one")
        ).select("user_number", "place", f.col("one.item_number").alias("item_number"))
        fresh = ranked.join(touched, ["user_number", "item_number"], "left_anti")
        items = IndexToString(
            inputCol="item_number", outputCol="item", labels=numbered.labelsArray[1]
        ).transform(fresh.withColumn("item_number", f.col("item_number").cast("double")))
        self._write(items, had)
        for frame in (touched, rows, times, batch):
            frame.unpersist()

    def _write(self, items: DataFrame, had: DataFrame) -> None:
        """Write a list for each user, the key its user."""
        ordered = f.array_sort(f.collect_list(f.struct("place", "item")))
        lists = (
            items.groupBy("user_number")
            .agg(f.slice(ordered, 1, LENGTH).alias("best"))
            .join(had, "user_number")
        )
        value = f.to_json(
            f.struct(
                "user",
                f.concat(f.lit("0-"), f.lower(f.hex("events"))).alias("id"),
                f.unix_millis(f.current_timestamp()).alias("at"),
                f.transform("best", lambda one: f.struct(one["item"].alias("item"))).alias("items"),
            )
        )
        records = lists.select(f.col("user").alias("key"), value.alias("value"))
        out = records.write.format("kafka").option("kafka.bootstrap.servers", self._brokers)
        out.option("topic", "recommendations").save()


def main() -> None:
    """Stream until the process is ended."""
    brokers, folder = sys.argv[1], Path(sys.argv[2])
    spark = session(*sys.argv[3:])
    spark.sparkContext.setLogLevel("ERROR")
    source = spark.readStream.format("kafka").option("kafka.bootstrap.servers", brokers)
    events = (
        source.option("subscribe", "user_events")
        .option("startingOffsets", "earliest")
        .load()
        .selectExpr("CAST(key AS STRING) AS user", "CAST(value AS STRING) AS item", "timestamp")
    )
    query = events.writeStream.foreachBatch(Refit(brokers, str(folder / "history")))
    query.option("checkpointLocation", str(folder / "checkpoint")).start().awaitTermination()


if __name__ == "__main__":
    main()
