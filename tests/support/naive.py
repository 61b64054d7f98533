"""Globs matched the slow and obvious way, straight from the language's text."""

from grouper.language.syntax import tree


def naive(pieces, name):
    """Whether pieces match a name, straight from the language's text."""
    if not pieces:
        return name == ""
    first, rest = pieces[0], pieces[1:]
    if isinstance(first, tree.Text):
        return name.startswith(first.text) and naive(rest, name[len(first.text) :])
    if isinstance(first, tree.Star):
        return any(naive(rest, name[i:]) for i in range(len(name) + 1))
    if isinstance(first, tree.Alternatives):
        return any(naive((*option.pieces, *rest), name) for option in first.options)
    if not name:
        return False
    if isinstance(first, tree.QuestionMark):
        return name[0] != "." and naive(rest, name[1:])
    inside = any(a <= name[0] <= b for a, b in first.ranges)
    ok = (not inside and name[0] != ".") if first.negated else inside
    return ok and naive(rest, name[1:])


def numbers(glob):
    return any(
        isinstance(p, tree.Integer)
        or (isinstance(p, tree.Alternatives) and any(map(numbers, p.options)))
        for p in glob.pieces
    )
