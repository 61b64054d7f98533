"""The tests of names in a selector as automata, and the selector as a claim about them."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from functools import lru_cache
from typing import assert_never

from grouper.language.automata.automaton import Automaton, automaton
from grouper.language.automata.characters import ANY, DOT
from grouper.language.automata.claims import OPEN, All, Atom, Claim, Either, Negation
from grouper.language.automata.meter import Unknown
from grouper.language.automata.nfa import Nfa
from grouper.language.automata.of_glob import add_glob, add_text
from grouper.language.automata.of_regex import add_search
from grouper.language.resolve.walk import capture_order
from grouper.language.syntax import tree

NameTest = tree.Glob | tree.Exact | tree.Regex | tree.Within
Part = Callable[[int], int]
MOST_REMEMBERED = 4096  # a file is checked again and again while it is written


def claim_of(selector: tree.Selector) -> Claim:
    """What a selector says of names; what it says of classes, shapes and facts is open."""
    match selector:
        case tree.Glob() | tree.Exact() | tree.Regex() | tree.Within():
            if isinstance(selector, tree.Within) and isinstance(selector.module, tree.ClassName):
                return OPEN
            return Atom(selector) if automaton_of(selector) is not None else OPEN
        case tree.Not(operand=operand):
            return Negation(claim_of(operand))
        case tree.Or(operands=operands):
            return Either(tuple(map(claim_of, operands)))
        case tree.And(operands=operands):
            names = [name for operand in operands for name in capture_order(operand)]
            linked = len(set(names)) < len(names)  # one number, captured twice
            return All((*map(claim_of, operands), *((OPEN,) if linked else ())))
        case tree.ClassName() | tree.Comparison() | tree.Flag() | tree.Has():
            return OPEN
        case _:
            assert_never(selector)


@lru_cache(MOST_REMEMBERED)
def automaton_of(test: NameTest) -> Automaton | None:
    """The names that a test takes; None where that is not known."""
    path = test.module if isinstance(test, tree.Within) else test
    exact = not (isinstance(path, tree.Glob) and _captures_twice(path))
    try:
        return automaton(lambda nfa, at: _add(nfa, at, test), exact)
    except Unknown:
        return None


def _add(nfa: Nfa, at: int, test: NameTest) -> int:
    match test:
        case tree.Glob():
            return add_glob(nfa, at, test)
        case tree.Exact(name=name):
            return add_text(nfa, at, name)
        case tree.Regex(pattern=pattern):
            return add_search(nfa, at, pattern)
        case tree.Within(module=module):
            return nfa.either(at, [lambda inner: _below(nfa, inner, module), *_root(nfa, module)])
        case _:
            assert_never(test)


def _below(nfa: Nfa, at: int, path: tree.Glob | tree.Exact | tree.ClassName) -> int:
    """The names of what is below modules of a path."""
    at = nfa.take(_add_path(nfa, at, path), DOT)
    return nfa.many(nfa.take(at, ANY), lambda inner: nfa.take(inner, ANY))


def _root(nfa: Nfa, path: tree.Glob | tree.Exact | tree.ClassName) -> list[Part]:
    """All names, if the path is one that the root matches as well."""
    own = automaton(lambda inside, at: _add_path(inside, at, path))
    return [lambda at: nfa.many(at, lambda inner: nfa.take(inner, ANY))] if own.matches("") else []


def _add_path(nfa: Nfa, at: int, path: tree.Glob | tree.Exact | tree.ClassName) -> int:
    if isinstance(path, tree.Glob):
        return add_glob(nfa, at, path)
    if isinstance(path, tree.Exact):
        return add_text(nfa, at, path.name)
    raise Unknown("a class")


def _captures_twice(glob: tree.Glob) -> bool:
    found = [*_captures(glob)]
    return len(set(found)) < len(found)


def _captures(glob: tree.Glob) -> Iterator[str]:
    for piece in glob.pieces:
        if isinstance(piece, tree.Integer) and piece.capture is not None:
            yield piece.capture
        elif isinstance(piece, tree.Alternatives):
            for option in piece.options:
                yield from _captures(option)
