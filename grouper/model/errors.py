"""The error of reading a model file; it carries one finding."""

from __future__ import annotations

from typing import Any

from grouper.model.codes import OVER_LIMIT
from grouper.text.arguments import require
from grouper.text.findings import Code, Finding


class ModelError(Exception):
    """A model file could not be read; `finding` says why and what to do."""

    def __init__(self, code: Code, message: str, help: str | None = None) -> None:
        require("code", code, Code, "the code of a finding")
        super().__init__(message)
        self.finding = Finding(code, message, help=help)

    def __reduce__(self) -> tuple[Any, ...]:
        arguments = (self.finding.code, self.finding.message, self.finding.help)
        return type(self), arguments, vars(self)


def over_limit(why: str) -> ModelError:
    """The error for a model that exceeds a limit."""
    return ModelError(OVER_LIMIT, f"the model is not read: {why}")
