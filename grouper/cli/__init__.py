"""The command line: one file a command, each with `add` (its arguments) and `run`."""
