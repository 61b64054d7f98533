"""Functions run as Python."""

__version__ = "0.63.1"


def njit(*given, **_):
    return given[0] if given and callable(given[0]) else lambda function: function


jit = njit
