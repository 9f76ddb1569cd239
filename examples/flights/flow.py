"""The flights that left New York in 2013: from an airport's event feed to delays per carrier and day.

Make the data first (`python data.py`), then `qanat run flow.py`. What it refuses: see the rules on `flights`.
"""

import qanat as qn

qn.source(
    "events",
    qn.files("feed/*.jsonl"),  # read in the order of their names, which are dates
    format=qn.json(),
    schema="""
        event_at TIMESTAMPTZ NOT NULL,
        year SMALLINT, month TINYINT, day TINYINT,
        dep_time SMALLINT, sched_dep_time SMALLINT, dep_delay SMALLINT,
        arr_time SMALLINT, sched_arr_time SMALLINT, arr_delay SMALLINT,
        carrier VARCHAR NOT NULL, flight INTEGER NOT NULL, tailnum VARCHAR, origin VARCHAR, dest VARCHAR,
        air_time SMALLINT, distance INTEGER, time_hour TIMESTAMPTZ
    """,
    event_time="event_at",
    watermark="1 hour",
)

qn.reference("airlines", "reference/airlines.csv")
qn.reference("airports", "SELECT faa, name FROM read_csv('reference/airports.csv', nullstr = 'NA')")
qn.reference(
    "planes",
    """SELECT tailnum, manufacturer, model, seats, "year" AS built
       FROM read_csv('reference/planes.csv', nullstr = 'NA')""",
)
# One row an airport and hour, or the join would multiply flights. By local time it is not so: on 3 November
# the hour from 1 to 2 happened twice. By `time_hour`, which is UTC, it is, and DISTINCT ON keeps it so.
qn.reference(
    "weather",
    """SELECT DISTINCT ON (origin, time_hour) origin, time_hour, temp, wind_speed, precip, visib
       FROM read_csv('reference/weather.csv', nullstr = 'NA', types = {'time_hour': 'TIMESTAMPTZ'})
       ORDER BY origin, time_hour""",
)


@qn.expect_or_fail("from_new_york", "origin IN ('EWR', 'JFK', 'LGA')")
@qn.expect_or_drop("departed", "dep_time IS NOT NULL")
@qn.expect_or_quarantine("has_aircraft", "tailnum IS NOT NULL")
@qn.expect_or_quarantine("arrived", "arr_time IS NOT NULL OR dep_time IS NULL")
@qn.expect_or_quarantine("possible_speed", "air_time IS NULL OR distance * 60.0 / air_time <= 600")
@qn.expect("american_aircraft", "tailnum IS NULL OR starts_with(tailnum, 'N')")
@qn.expect("not_diverted", "arr_time IS NULL OR arr_delay IS NOT NULL")
@qn.table(partition_cols=["month"])
def flights():
    """Flights that took place, one row each, as the feed has them."""
    return """
        SELECT event_at, make_date("year", "month", "day") AS flight_date, "month", carrier, flight, tailnum,
               origin, dest, dep_time, dep_delay, arr_time, arr_delay, air_time, distance, time_hour
        FROM events
    """


@qn.table(partition_cols=["month"])
def flights_enriched():
    """Flights with the airline, the plane and the weather at the hour of departure."""
    return """
        SELECT f.*, a.name AS airline, d.name AS destination, p.manufacturer, p.model, p.seats, p.built,
               w.temp, w.wind_speed, w.precip, w.visib
        FROM flights f
        LEFT JOIN airlines a ON a.carrier = f.carrier
        LEFT JOIN airports d ON d.faa = f.dest
        LEFT JOIN planes p ON p.tailnum = f.tailnum
        LEFT JOIN weather w ON w.origin = f.origin AND w.time_hour = f.time_hour
    """


@qn.materialized_view
def delays():
    """Delays per carrier and day; a flight is late from 15 minutes on, as the airlines count."""
    return """
        SELECT carrier, airline, flight_date, count(*) AS flights, count(*) FILTER (arr_delay >= 15) AS late,
               sum(dep_delay) AS dep_delay_min, sum(arr_delay) AS arr_delay_min, max(arr_delay) AS worst_min
        FROM flights_enriched
        GROUP BY carrier, airline, flight_date
    """
