"""The windows in Spark Structured Streaming: file source, watermark of 30 seconds, append, file sink.

Spark refuses an exact count of distinct users in a stream: it is approx_count_distinct. A window is written
when the watermark has passed it, so the last ones are not.
"""

import sys

from pyspark.sql import SparkSession
from pyspark.sql import functions as f

SCHEMA = """event_id string, user_id bigint, ts timestamp, country string, price decimal(10,2), url string"""

source, target, variant = sys.argv[1:]
session = (
    SparkSession.builder.master("local[*]")
    .config("spark.driver.memory", "3g")
    .config("spark.ui.enabled", "false")
    .config("spark.driver.bindAddress", "127.0.0.1")
    .config("spark.driver.host", "127.0.0.1")
    .config("spark.sql.session.timeZone", "UTC")
    .config("spark.sql.shuffle.partitions", "4")
    .config("spark.sql.parquet.compression.codec", "zstd")
    .config(
        "spark.sql.streaming.stateStore.providerClass",
        "org.apache.spark.sql.execution.streaming.state.RocksDBStateStoreProvider",
    )
    .getOrCreate()
)
session.sparkContext.setLogLevel("ERROR")
users = [] if variant == "sums" else [f.approx_count_distinct("user_id").alias("users")]
(
    session.readStream.schema(SCHEMA)
    .option("maxFilesPerTrigger", 32)
    .json(source)
    .withWatermark("ts", "30 seconds")
    .groupBy(f.window("ts", "1 minute"), "country")
    .agg(f.count("*").alias("events"), *users, f.sum("price").alias("revenue"))
    .select(
        "country", f.col("window.start").alias("minute"), "events", *(["users"] if users else []), "revenue"
    )
    .writeStream.format("parquet")
    .option("path", f"{target}/answer")
    .option("checkpointLocation", f"{target}/checkpoint")
    .outputMode("append")
    .trigger(availableNow=True)
    .start()
    .awaitTermination()
)
session.stop()
