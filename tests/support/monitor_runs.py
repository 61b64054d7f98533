"""Whole monitor files, read at once."""

from grouper.monitor.run import RunReader, read_lines


def read_run(path):
    reader = RunReader()
    with open(path, "rb") as file:
        read_lines(file, reader)
    return reader.run
