"""A report as Python code: plain torch, without grouper."""
