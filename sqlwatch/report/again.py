"""How to run a simulation again: the command, read off what was run."""

from __future__ import annotations

import shlex
from collections.abc import Mapping
from typing import Any

from simulators.scenario import Scenario, builtin, names
from simulators.workload import PARAMETERS, Workload
from sqlwatch.diagnose.lesson import Lesson
from sqlwatch.metrics.result import Result


def command_again(result: Result, lesson: Lesson | None = None) -> str:
    """Return the command that runs the same, with what differs from the defaults, or from the lesson, as options."""
    words = ["sqlwatch", "simulate"]
    if lesson is None:
        words += ["--compare"] if result.compared is not None else []
        words += _options(result.workload, Workload().to_mapping(), left_out="mode" if result.compared else "")
    else:
        words += [_place(lesson.scenario), *_given(result, lesson.scenario)]
    return shlex.join(words)


def _place(scenario: Scenario) -> str:
    """Return the name of a lesson, or of its file where it is the user's own."""
    is_builtin = scenario.name in names() and builtin(scenario.name).phases == scenario.phases
    return scenario.name if is_builtin else f"{scenario.name}.toml"


def _given(result: Result, scenario: Scenario) -> list[str]:
    """Return the options that were given over those of the lesson: what differs from its own phases."""
    by_name = {phase.name: phase for phase in scenario.phases}
    for period, workload in zip(result.phases, result.workloads, strict=False):
        if period.name in by_name:
            return _options(workload, scenario.workload_of(by_name[period.name]).to_mapping())
    return []


def _options(workload: Mapping[str, Any], usual: Mapping[str, Any], left_out: str = "") -> list[str]:
    words = []
    for parameter in PARAMETERS:
        key = parameter.key
        value = workload.get(key, usual[key])
        if value == usual[key] or value is None or key == left_out:
            continue
        words += [f"--{'' if value else 'no-'}{key}"] if parameter.is_flag else [f"--{key}", str(value)]
    return words
