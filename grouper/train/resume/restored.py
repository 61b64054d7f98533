"""What became of an optimizer's saved state, in words."""

from __future__ import annotations

from typing import TYPE_CHECKING

from grouper.text.fold import fold
from grouper.text.printable import visible

if TYPE_CHECKING:
    from grouper.train.resume.optimizer_state import Restored

SHOWN = 8


def restored_text(restored: Restored) -> str:
    """One line with the counts, then a line for each fate that deserves a look."""
    lacking = ", ".join(f"`{visible(key)}`" for key in restored.lacking)
    lines = {
        "kept": "",
        "new": "nothing was saved for them, so they start anew",
        "reshaped": "their shape is not the saved one, so they start anew",
        "foreign": f"the saved state has no {lacking}, so they start anew",
        "dropped": "saved, but not trained any more",
    }
    names = {word: getattr(restored, word) for word in lines}
    counts = ", ".join(f"{len(names[word])} {word}" for word in lines if names[word])
    text = [f"optimizer state by name: {counts or 'there was none'}"]
    for word, why in lines.items():
        if why and names[word]:
            text.append(f"  {word} ({why}): {_folded(names[word])}")
    if names["new"] and names["dropped"] and not names["kept"]:
        text.append("  no name is in both: is it the state of this model?")
    return "\n".join(text)


def _folded(names: tuple[str, ...]) -> str:
    patterns = [visible(pattern) for pattern in fold(names)]
    more = len(patterns) - SHOWN
    return ", ".join(patterns[:SHOWN]) + (f" and {more} more patterns" if more > 0 else "")
