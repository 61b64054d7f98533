"""Lark's parser over a saved parse table, without the modules that build tables.

It does what `lark.Lark.load` does; importing lark's grammar reader would take a third of the time
of a short command.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from copy import copy
from functools import cached_property
from typing import Any

from lark.common import LexerConf
from lark.grammar import Rule
from lark.lexer import AbstractBasicLexer, BasicLexer, ContextualLexer, LexerThread, TerminalDef
from lark.parse_tree_builder import ParseTreeBuilder
from lark.parsers.lalr_parser import LALR_Parser
from lark.tree import Tree
from lark.utils import SerializeMemoizer, TextSlice

_TreeBuilder: Any = ParseTreeBuilder  # without types


class TableParser:
    """The parser of what `lark.Lark.save` saved, with places and placeholders in its trees."""

    def __init__(self, saved: Mapping[str, Any]) -> None:
        kinds = {"Rule": Rule, "TerminalDef": TerminalDef}
        memo: Any = SerializeMemoizer.deserialize(saved["memo"], kinds, {})
        frontend, rules = saved["data"]["parser"], saved["data"]["rules"]
        make_parser: Any = LALR_Parser.deserialize
        builder: Any = _TreeBuilder(
            [Rule.deserialize(rule, memo) for rule in rules],
            Tree,
            propagate_positions=True,
            maybe_placeholders=True,
        )
        self._parser: Any = make_parser(frontend["parser"], memo, builder.create_callback())
        states = self._parser._parse_table.states
        self._lexer = _Lexer(_lexer_settings(frontend["lexer_conf"], memo), states)

    def parse(self, text: str | TextSlice[str], start: str) -> Any:
        """The tree of a text. Raises lark's UnexpectedInput."""
        return self._parser.parse(LexerThread.from_text(self._lexer, text), start)

    def parse_interactive(self, text: str, start: str) -> Any:
        """Lark's InteractiveParser, which goes on step by step."""
        return self._parser.parse_interactive(LexerThread.from_text(self._lexer, text), start)


class _Lexer(ContextualLexer):
    """Lark's lexer, whose parts for the states of the parser are made when they are entered."""

    def __init__(self, settings: LexerConf, states: Mapping[int, Mapping[str, Any]]) -> None:
        self._settings = settings
        self.lexers = _Lexers(settings, states)

    @cached_property
    def root_lexer(self) -> BasicLexer:  # type: ignore[override]
        """The lexer of all terminals, which mistakes are explained by."""
        return BasicLexer(self._settings)


class _Lexers(dict[int, AbstractBasicLexer]):
    def __init__(self, settings: LexerConf, states: Mapping[int, Mapping[str, Any]]) -> None:
        self._settings, self._states = settings, states
        self._by_terminals: dict[frozenset[str], BasicLexer] = {}

    def __missing__(self, state: int) -> BasicLexer:
        accepted = frozenset(self._states[state]).union(self._settings.ignore)
        if accepted not in self._by_terminals:
            settings, known = copy(self._settings), self._settings.terminals_by_name
            settings.terminals = [known[name] for name in accepted if name in known]
            self._by_terminals[accepted] = BasicLexer(settings)
        made = self[state] = self._by_terminals[accepted]
        return made


def _lexer_settings(saved: Any, memo: Any) -> LexerConf:
    made = LexerConf.deserialize(saved, memo)
    made.callbacks, made.postlex = {}, None
    made.re_module, made.skip_validation = re, True
    return made
