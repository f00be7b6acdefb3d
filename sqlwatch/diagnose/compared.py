"""What phases run: the first one in words, the others by what they change; pure."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Final

from simulators.scenario import Scenario
from simulators.workload import KEYS, Workload, from_mapping

_BESIDE_IT: Final = ("mode", "duration", "warm-up", "max-size", "seed")
"""Parameters that say nothing of what a phase runs, or, as the mode, are said in any case."""


def compared_words(workloads: Sequence[Workload]) -> list[str]:
    """Say what each phase runs: the first in words, any other as the same with what it changes.

    >>> compared_words([Workload(), Workload(synchronous="full"), Workload(), Workload(group_commit=True)])[1:]
    ['the same with synchronous full', 'the same', 'the same with group-commit']
    """
    if not workloads:
        return []
    first = workloads[0]
    before = first.to_mapping()
    words = [", ".join([first.in_words(), *_unsaid(first, before), first.mode.value])]
    for workload in workloads[1:]:
        changes = [_given(key, value) for key, value in workload.to_mapping().items() if value != before[key]]
        words.append(f"the same with {', '.join(changes)}" if changes else "the same")
    return words


def phases_in_words(scenario: Scenario) -> list[tuple[str, str]]:
    """Return the name of each phase of a scenario, and what it runs."""
    words = compared_words([scenario.workload_of(phase) for phase in scenario.phases])
    return [(phase.name, said) for phase, said in zip(scenario.phases, words, strict=True)]


def _unsaid(workload: Workload, mapping: dict[str, Any]) -> list[str]:
    """Return the parameters that are not as usual and that the workload's own words leave out."""
    usual = Workload().to_mapping()
    said = workload.in_words()
    unsaid = []
    for key in KEYS:
        if key in _BESIDE_IT or mapping[key] == usual[key]:
            continue
        changed = {name: value for name, value in mapping.items() if name != key}
        if from_mapping(changed).in_words() == said:
            unsaid.append(_given(key, mapping[key]))
    return unsaid


def _given(key: str, value: Any) -> str:
    """Write a parameter as it is given.

    >>> _given("rows", 10), _given("group-commit", True), _given("group-commit", False), _given("duration", None)
    ('rows 10', 'group-commit', 'no group-commit', 'no duration')
    """
    if isinstance(value, bool) or value is None:
        return key if value else f"no {key}"
    return f"{key} {value}"
