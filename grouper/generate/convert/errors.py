"""What cannot be converted, in one sentence with a place and a way out."""

from __future__ import annotations

from grouper.text.printable import visible


class ConvertError(ValueError):
    """A configuration that cannot be read, is not known, or would not build in its own system."""

    def __init__(self, sentence: str) -> None:
        super().__init__(visible(sentence))  # it quotes the configuration, which may hold anything
