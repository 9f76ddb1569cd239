"""The main job on a clickstream: JSON lines, five rules, projection, a table partitioned by day."""
