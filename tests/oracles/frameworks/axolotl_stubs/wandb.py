"""Nothing is logged there."""

run = None
__version__ = "0.22.3"
