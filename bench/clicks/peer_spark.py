"""The main job in Spark Structured Streaming: file source, file sink. Bad rows are left out."""

import sys

from pyspark.sql import SparkSession
from pyspark.sql import functions as f

SCHEMA = """event_id string, user_id bigint, session string, ts timestamp, url string, ip string,
            user_agent string, country string, price decimal(10,2),
            geo struct<lat: double, lon: double>, tags array<string>"""

source, target = sys.argv[1:]
session = (
    SparkSession.builder.master("local[*]")
    .config("spark.driver.memory", "3g")
    .config("spark.ui.enabled", "false")
    .config("spark.driver.bindAddress", "127.0.0.1")
    .config("spark.driver.host", "127.0.0.1")
    .config("spark.sql.session.timeZone", "UTC")
    .config("spark.sql.parquet.compression.codec", "zstd")
    .getOrCreate()
)
session.sparkContext.setLogLevel("ERROR")
rows = session.readStream.schema(SCHEMA).option("maxFilesPerTrigger", 32).json(source)
url = f.col("url")
clean = (
    rows.where("user_id IS NOT NULL")
    .where("ts >= TIMESTAMP '2026-01-01' AND ts < TIMESTAMP '2027-01-01'")
    .where("price >= 0")
    .where(url.rlike("^https?://[A-Za-z0-9.-]+/"))
    .where("length(country) = 2")
    .select(
        "event_id", "user_id", "session", "ts",
        f.regexp_extract(url, "^https?://([^/]+)", 1).alias("host"),
        f.regexp_extract(url, "^https?://[^/]+([^?#]*)", 1).alias("path"),
        "ip", "user_agent", f.lower("country").alias("country"), "price",
        f.col("geo.lat").alias("lat"), f.col("geo.lon").alias("lon"), "tags", f.to_date("ts").alias("day"),
    )
)  # fmt: skip
(
    clean.writeStream.format("parquet")
    .partitionBy("day")
    .option("path", f"{target}/clean")
    .option("checkpointLocation", f"{target}/checkpoint")
    .trigger(availableNow=True)
    .start()
    .awaitTermination()
)
session.stop()
