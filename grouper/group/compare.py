"""What all ranks of a run must agree on, and the first difference between two of them."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from typing import Any, TypeAlias

from grouper.group.digest import group_terms, plain
from grouper.group.grouping import Grouping
from grouper.language.ruleset import RuleSet
from grouper.text.findings import Code, Finding, Severity

RANKS_DISAGREE = Code(
    "GR501",
    "ranks-disagree",
    Severity.ERROR,
    """The processes of a run do not have the same groups, options, warm-up and schedule.

They would train one model with several learning rates, and drift apart without an error. So all
ranks compare what they have when groups are built, and each of them names the first difference. It
comes from rules files that differ between machines, from variables that are set on one rank only,
or from models that are built differently.

Ranks that are meant to have different models, as in pipeline parallelism, compare with the ranks of
their stage only, `build_optimizer(model, rules, process_group=stage)`, or not at all,
`process_group=False`.
""",
)

Fingerprint: TypeAlias = Mapping[str, Any]
Difference: TypeAlias = tuple[str, str, str]  # of what, on another rank, on the first one


def fingerprint_of(rules: RuleSet, grouping: Grouping) -> Fingerprint:
    """Everything that decides how a model is trained, in values that JSON holds."""
    warmup, schedule = rules.warmup, rules.schedule
    return {
        "optimizers": {
            declared.key: {"class": declared.name, **plain(declared.options)}
            for declared in rules.optimizers
        },
        **group_terms(grouping.groups, grouping.frozen),
        "warmup": plain({k: v for k, v in vars(warmup).items() if k != "span"} if warmup else {}),
        "schedule": plain({"name": schedule.name, **schedule.options} if schedule else {}),
    }


def disagreement(terms: Mapping[int, Fingerprint], paths: Mapping[int, str]) -> Finding:
    """The finding about the first rank that differs from the first of all. `terms` and `paths` (of
    the rules files) are by rank."""
    first, ours = next(iter(terms.items()))
    rank, theirs = next((rank, other) for rank, other in terms.items() if other != ours)
    what, there, here = next(_differences(ours, theirs))
    note = f"rank {first} reads {paths[first]}, rank {rank} reads {paths[rank]}"
    return Finding(
        RANKS_DISAGREE,
        f"{what} {there} on rank {rank} and {here} on rank {first}",
        notes=() if paths[first] == paths[rank] else (note,),
        help="give every rank the same rules file, the same variables and the same model; where"
        " ranks rightly differ, say which agree: `process_group=`",
    )


def failed_elsewhere(failures: Mapping[int, str | None]) -> Finding:
    """The finding of a rank that could build its groups, about the first that could not."""
    rank, failure = next((rank, text) for rank, text in failures.items() if text is not None)
    return Finding(RANKS_DISAGREE, f"rank {rank} builds no groups: {failure}")


def _differences(ours: Fingerprint, theirs: Fingerprint) -> Iterator[Difference]:
    """The differences between two ranks, those that explain most first."""
    declared = [[_name(*item) for item in t["optimizers"].items()] for t in (ours, theirs)]
    if declared[0] != declared[1]:
        here, there = (" and ".join(names) or "none" for names in declared)
        yield "the optimizer that the rules name is", there, here
    for alias in ours["optimizers"]:
        pair = ours["optimizers"][alias], theirs["optimizers"].get(alias, {})
        yield from _options(*pair, f"the optimizer `{alias}`")
    groups = _group_of_each(ours), _group_of_each(theirs)
    for name in {**groups[0], **groups[1]}:
        here, there = (names.get(name, "not in the model") for names in groups)
        if here != there:
            yield f"`{name}` is", there, here
    named = {group["name"]: group for group in theirs["groups"]}
    for group in ours["groups"]:
        other = named.get(group["name"], group)
        yield from _options(
            _all_options(group), _all_options(other), f"the group `{group['name']}`"
        )
    for statement in ("warmup", "schedule"):
        yield from _options(ours[statement], theirs[statement], f"`{statement}`")
    yield from _orders(ours, theirs)


def _name(alias: str, declared: Mapping[str, Any]) -> str:
    cls = declared["class"]
    return f"`{cls}`" if alias == cls else f"`{cls} as {alias}`"


def _all_options(group: Fingerprint) -> dict[str, Any]:
    return {**group["options"], **group["plan"], "optimizer": group["optimizer"]}


def _group_of_each(terms: Fingerprint) -> dict[str, str]:
    groups = {n: f"in the group `{g['name']}`" for g in terms["groups"] for n in g["parameters"]}
    return {**groups, **dict.fromkeys(terms["frozen"], "frozen")}


def _options(
    ours: Mapping[str, Any], theirs: Mapping[str, Any], whose: str
) -> Iterator[Difference]:
    for key in {**ours, **theirs}:
        here, there = (json.dumps(o[key]) if key in o else "not set" for o in (ours, theirs))
        if here != there:
            yield f"`{key}` of {whose} is", there, here


def _orders(ours: Fingerprint, theirs: Fingerprint) -> Iterator[Difference]:
    here, there = ([group["name"] for group in terms["groups"]] for terms in (ours, theirs))
    yield from _order("the groups", here, there)
    for group, other in zip(ours["groups"], theirs["groups"], strict=False):
        whose = f"the parameters of the group `{group['name']}`"
        yield from _order(whose, group["parameters"], other["parameters"])
    yield from _order("the frozen parameters", ours["frozen"], theirs["frozen"])


def _order(whose: str, ours: Sequence[str], theirs: Sequence[str]) -> Iterator[Difference]:
    for number, (here, there) in enumerate(zip(ours, theirs, strict=False), 1):
        if here != there:
            what = f"{whose} are in another order: number {number} is"
            yield what, f"`{there}`", f"`{here}`"
