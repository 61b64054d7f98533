"""The plan for people and for programs: a table, curves, CSV, JSON and a picture."""
