"""The result of loading an optimizer's state by name."""

from __future__ import annotations

from grouper.text.dataclass import dataclass
from grouper.text.fold import folded_list
from grouper.text.printable import quoted_list, visible

MOST_PATTERNS = 8  # of each outcome in the printed text


@dataclass(frozen=True)
class Restored:
    """The outcome of each parameter by name; `print` shows a line for every outcome.

    `kept` parameters continue with their saved state. Three start with an empty state, as in a new
    run, or, where this optimizer has stepped, go on with the state that it has for them (`stepped`
    is then True): `new` had none saved, `reshaped` has another shape than when it was saved, and
    the saved state of `incompatible` lacks the `missing_keys` that this optimizer needs, being that
    of another class or of another option. `dropped` was saved for a parameter that the optimizer
    does not train.
    """

    kept: tuple[str, ...] = ()
    new: tuple[str, ...] = ()
    dropped: tuple[str, ...] = ()
    reshaped: tuple[str, ...] = ()
    incompatible: tuple[str, ...] = ()
    missing_keys: tuple[str, ...] = ()
    stepped: bool = False

    def __str__(self) -> str:
        missing = quoted_list(map(visible, self.missing_keys))
        go_on = "go on with the state that they have here"
        so = f"so they {go_on if self.stepped else 'start with an empty state'}"
        reasons = {
            "kept": "",
            "new": f"nothing was saved for them, {so}",
            "reshaped": f"saved with another shape, {so}",
            "incompatible": f"the saved state lacks {missing}, {so}",
            "dropped": "saved, but not trained now",
        }
        names = {outcome: vars(self)[outcome] for outcome in reasons if vars(self)[outcome]}
        counts = ", ".join(f"{len(names[outcome])} {outcome}" for outcome in names)
        lines = [f"optimizer state by name: {counts or 'the saved state is empty'}"]
        for outcome in names:
            if reasons[outcome]:
                patterns = visible(folded_list(names[outcome], MOST_PATTERNS, quote=""))
                lines.append(f"  {outcome} ({reasons[outcome]}): {patterns}")
        if self.new and self.dropped and not self.kept:
            lines.append(
                "  no saved name is one of the optimizer's: is this another model's state?"
            )
        return "\n".join(lines)
