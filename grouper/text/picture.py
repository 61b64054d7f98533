"""A picture in a file format, which notebooks display."""

from __future__ import annotations

from pathlib import Path

from grouper.text.dataclass import dataclass
from grouper.text.write_file import write_whole

FORMATS = ("png", "svg")


@dataclass(frozen=True)
class Picture:
    """The bytes of a picture; `format` is `png` or `svg`."""

    content: bytes
    format: str

    def __repr__(self) -> str:
        return f"<Picture {self.format}, {len(self.content):,} bytes>"

    def save(self, path: str | Path) -> None:
        """Write the file, whole or not at all. Raises OSError."""
        write_whole(path, [self.content])

    def _repr_png_(self) -> bytes | None:
        return self.content if self.format == "png" else None

    def _repr_svg_(self) -> str | None:
        return self.content.decode() if self.format == "svg" else None


def format_of(path: str | Path) -> str:
    """The format of a picture file by its suffix. Raises ValueError for an unknown suffix."""
    format = Path(path).suffix.removeprefix(".").lower()
    if format not in FORMATS:
        endings = " or ".join(f".{name}" for name in FORMATS)
        raise ValueError(f"`{path}` is not a {endings} file")
    return format
