"""The monitor's state in a file beside a trainer's checkpoints."""

from __future__ import annotations

import json
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING

from grouper.text.write_file import write_whole

if TYPE_CHECKING:
    from grouper.monitor.monitor import Monitor


class MonitorState:
    """Saves and restores a monitor, with the epoch of the checkpoint, in `monitor.json`."""

    def __init__(self, folder: Path) -> None:
        self._path = folder / "monitor.json"

    def save(self, monitor: Monitor, epoch: int) -> None:
        """Write the file. An error does not stop the training: a resumed monitor then starts at
        step 0."""
        with suppress(OSError):
            write_whole(self._path, [json.dumps({"epoch": epoch, **monitor.state_dict()})])

    def restore(self, monitor: Monitor, epoch: int) -> None:
        """Load the state into the monitor, if the file is of that epoch."""
        with suppress(OSError, ValueError, KeyError):
            state = json.loads(self._path.read_text("utf-8"))
            if state["epoch"] == epoch:
                monitor.load_state_dict(state)
