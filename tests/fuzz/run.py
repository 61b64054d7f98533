"""Fuzzes a reader, for as long as you like.

    python tests/fuzz/run.py files --seconds 600
    python tests/fuzz/run.py pickles --seconds 600 --seed 7
    python tests/fuzz/run.py files --atheris FOLDER -max_total_time=7200

Without `--atheris` known inputs are changed at random. With it (`pip install atheris`) coverage
leads the way, what it finds goes to the folder, and the rest are libFuzzer's own options. An input
that fails, or takes two seconds, is written to `grouper-fuzz-failure` in the temporary folder.
"""

import argparse
import importlib
import sys
import tempfile
import time
from pathlib import Path

HERE = Path(__file__).parent
sys.path[:0] = [str(HERE), str(HERE.parents[1])]
SECONDS = 2.0
FAILURE = Path(tempfile.gettempdir()) / "grouper-fuzz-failure"


def corpus(target: str) -> list[bytes]:
    """The known inputs of a target, the smallest first."""
    inputs = [path.read_bytes() for path in sorted((HERE / "corpus" / target).iterdir())]
    return sorted(inputs, key=len)


def at_random(target: str, seconds: float, seed: int) -> int:
    """How many inputs were tried, none of which failed."""
    from mutations import mutated

    one, inputs = importlib.import_module(target).one, corpus(target)
    end, tried = time.monotonic() + seconds, 0
    while time.monotonic() < end:
        data = mutated(inputs, seed + tried)
        start = time.process_time()
        try:
            one(data)
            assert time.process_time() - start < SECONDS, "two seconds are over"
        except BaseException:
            FAILURE.write_bytes(data)
            raise
        tried += 1
    return tried


def by_coverage(target: str, folder: str, options: list[str]) -> None:
    import atheris

    with atheris.instrument_imports(include=["grouper"]):
        one = importlib.import_module(target).one
    where = [folder, str(HERE / "corpus" / target)]
    atheris.Setup([sys.argv[0], f"-timeout={SECONDS:.0f}", *options, *where], one)
    atheris.Fuzz()


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("target", choices=["files", "pickles", "folders"])
    parser.add_argument("--seconds", type=float, default=60)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--atheris", metavar="FOLDER")
    arguments, options = parser.parse_known_args()
    if arguments.atheris:
        by_coverage(arguments.target, arguments.atheris, options)
    tried = at_random(arguments.target, arguments.seconds, arguments.seed)
    print(f"{arguments.target}: {tried:,} inputs, none failed")


if __name__ == "__main__":
    main()
