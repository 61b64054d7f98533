"""Fuzzes a reader, for as long as you like.

    python tests/fuzz/run.py files --seconds 600
    python tests/fuzz/run.py pickles --seconds 600 --seed 7
    python tests/fuzz/run.py files --atheris FOLDER -max_total_time=7200
    python tests/fuzz/run.py files --keep FOLDER

Without `--atheris` known inputs are changed at random. With it (`pip install atheris`) coverage
leads the way, what it finds goes to the folder, and the rest are libFuzzer's own options. An input
fails that takes two seconds of the processor, too; it is written to `grouper-fuzz-failure` in the
temporary folder.
`--keep` adds the inputs of a folder, up to 4 KiB each, to the known ones; `-merge=1` makes a folder
of few inputs that reach as far as many.
"""

import argparse
import hashlib
import importlib
import sys
import tempfile
import time
import zipfile
from pathlib import Path

HERE = Path(__file__).parent
sys.path[:0] = [str(HERE), str(HERE.parent), str(HERE.parents[1])]
SECONDS = 2.0
MEGABYTES = 320  # what a process may take: 256 more than an idle one with the known inputs
MOST_BYTES = 4096
FAILURE = Path(tempfile.gettempdir()) / "grouper-fuzz-failure"


def corpus(target: str) -> list[bytes]:
    """The known inputs of a target, seeds and what fuzzing found, the smallest first."""
    inputs = [path.read_bytes() for path in sorted((HERE / "corpus" / target).iterdir())]
    with zipfile.ZipFile(_found(target)) as archive:
        inputs += [archive.read(name) for name in archive.namelist()]
    return sorted(inputs, key=len)


def keep(target: str, folder: str) -> None:
    """Put the small inputs of a folder into the archive of what fuzzing found."""
    inputs = {path.read_bytes() for path in Path(folder).iterdir()} | set(corpus(target))
    seeds = {path.read_bytes() for path in (HERE / "corpus" / target).iterdir()}
    small = sorted(data for data in inputs - seeds if len(data) <= MOST_BYTES)
    with zipfile.ZipFile(_found(target), "w", zipfile.ZIP_DEFLATED, compresslevel=9) as archive:
        for number, data in enumerate(small):
            archive.writestr(zipfile.ZipInfo(f"{number:04}"), data, zipfile.ZIP_DEFLATED)


def _found(target: str) -> Path:
    return HERE / "corpus" / f"{target}.zip"


def at_random(target: str, seconds: float, seed: int) -> int:
    """How many inputs were tried, none of which failed."""
    from mutations import mutated

    one, inputs = _in_time(importlib.import_module(target).one), corpus(target)
    end, tried = time.monotonic() + seconds, 0
    while time.monotonic() < end:
        data = mutated(inputs, seed + tried)
        try:
            one(data)
        except BaseException:
            FAILURE.write_bytes(data)
            raise
        tried += 1
    return tried


def _in_time(one):
    """The target, which fails where an input takes too long, whatever else the machine does."""

    def timed(data: bytes) -> None:
        start = time.process_time()
        one(data)
        assert time.process_time() - start < SECONDS, "two seconds are over"

    return timed


def by_coverage(target: str, folder: str, options: list[str]) -> None:
    import atheris
    from mutations import dictionary

    with atheris.instrument_imports(include=["grouper"]):
        one = importlib.import_module(target).one
    for data in corpus(target):
        (Path(folder) / hashlib.sha1(data).hexdigest()).write_bytes(data)  # as libFuzzer calls it
    with tempfile.NamedTemporaryFile("w", suffix=".dict") as tokens:
        tokens.write(dictionary())
        tokens.flush()
        options = [f"-rss_limit_mb={MEGABYTES}", f"-dict={tokens.name}", *options]
        atheris.Setup([sys.argv[0], *options, folder], _in_time(one))
        atheris.Fuzz()


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("target", choices=["files", "archives", "pickles", "folders"])
    parser.add_argument("--seconds", type=float, default=60)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--atheris", metavar="FOLDER")
    parser.add_argument("--keep", metavar="FOLDER")
    arguments, options = parser.parse_known_args()
    if arguments.keep:
        keep(arguments.target, arguments.keep)
        return
    if arguments.atheris:
        by_coverage(arguments.target, arguments.atheris, options)
    tried = at_random(arguments.target, arguments.seconds, arguments.seed)
    print(f"{arguments.target}: {tried:,} inputs, none failed")


if __name__ == "__main__":
    main()
