"""The slim clickstream that windows, sessions, join and hop are fed with, and the users of the join."""
