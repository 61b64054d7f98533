"""The plan as a table, curves, CSV, JSON and a picture."""
