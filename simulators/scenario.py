"""Scenarios: a question, the phases that answer it, what was published, and what should show here; read from TOML."""

from __future__ import annotations

import difflib
import re
import tomllib
from collections.abc import Mapping
from importlib import resources
from pathlib import Path
from typing import Annotated, Any, Final

import msgspec
from msgspec import Meta

from simulators.workload import KEYS, Workload, WorkloadError, from_mapping

_Text = Annotated[str, Meta(min_length=1)]


class ScenarioError(ValueError):
    """A scenario that cannot be read: a sentence that names the file and the line or key."""


class Phase(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """One run of the scenario's workload with some parameters changed."""

    name: _Text
    workload: dict[str, Any] = {}
    """Parameters by key, over those of the scenario."""
    watch: str = ""
    """What to look at while this phase runs; the scenario's `watch` holds where it is empty."""


class Effect(msgspec.Struct, frozen=True, forbid_unknown_fields=True, rename="kebab"):
    """What should show: a figure of the phase `of`, or its ratio to a figure of the phase `against`.

    That other figure is the same one unless `against_figure` names another; then `against` may be `of` itself, or be
    left out, to compare two figures of one phase.
    """

    says: _Text
    """What the figure is, in words: `throughput`."""
    figure: _Text
    of: _Text
    against: str | None = None
    against_figure: str | None = None
    at_least: float | None = None
    at_most: float | None = None
    published: float | None = None
    """What the source says of it."""


class Published(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A row of the source's table."""

    what: _Text
    value: _Text


class Sweep(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Phases that differ in one thing, the first of which the others are measured against."""

    name: _Text
    phases: Annotated[tuple[str, ...], Meta(min_length=2)]
    published: tuple[float, ...] = ()
    """The source's speed-up of each phase; empty if it gives none."""


class Scenario(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A lesson; a file with nothing but a workload is one without phases."""

    title: str = ""
    source: str = ""
    """The published text whose claim is tried, as lessons are grouped by it."""
    place: str = ""
    """Where in the source."""
    question: str = ""
    watch: str = ""
    """What to look at while it runs."""
    expect: str = ""
    """What should show here, and why."""
    vanish: str = ""
    """What to change to see it vanish."""
    workload: dict[str, Any] = {}
    repeats: Annotated[int, Meta(ge=1, le=9)] = 1
    """How often all phases are run; ratios are medians over the repeats."""
    phases: tuple[Phase, ...] = ()
    effects: tuple[Effect, ...] = ()
    published: tuple[Published, ...] = ()
    sweeps: tuple[Sweep, ...] = ()
    """Tables of how much faster each phase of a row of phases was than its first."""
    name: str = ""
    """The file's name without its ending."""

    def workload_of(self, phase: Phase, given: Mapping[str, Any] | None = None) -> Workload:
        """Return the workload of a phase; `given` parameters go before all others.  Raises WorkloadError."""
        return from_mapping({**self.workload, **phase.workload, **(given or {})})

    def watch_of(self, phase: Phase) -> str:
        """Return what to look at while a phase runs."""
        return phase.watch or self.watch

    def words_of(self, phase: Phase) -> str:
        """Say what runs in a phase."""
        workload = self.workload_of(phase)
        return f"{workload.in_words()}, {workload.mode.value}"

    @property
    def cited(self) -> str:
        """The source and the place in it."""
        return ": ".join(part for part in (self.source, self.place) if part)

    @property
    def length_s(self) -> float:
        """How long the phases run in all, without starting and ending, in seconds; 0 where it is not fixed."""
        workloads = [self.workload_of(phase) for phase in self.phases]
        durations_ns = [
            workload.duration.ns + workload.warm_up.mean_ns for workload in workloads if workload.duration is not None
        ]
        return self.repeats * sum(durations_ns) / 1e9


def names() -> tuple[str, ...]:
    """Return the names of the lessons that come with sqlwatch, in alphabetical order."""
    found = resources.files("simulators.scenarios").iterdir()
    return tuple(sorted(file.name.removesuffix(".toml") for file in found if file.name.endswith(".toml")))


def builtin(name: str) -> Scenario:
    """Return one of the lessons that come with sqlwatch; raise ScenarioError with the nearest name if there is none."""
    if name not in names():
        near = difflib.get_close_matches(name, names(), 1)
        hint = f"did you mean {near[0]}?" if near else "`sqlwatch scenarios` lists them."
        raise ScenarioError(f"There is no scenario {name}; {hint}")
    file = resources.files("simulators.scenarios").joinpath(f"{name}.toml")
    return parse(file.read_text(encoding="utf-8"), f"{name}.toml", name)


def read(path: Path) -> Scenario:
    """Read a scenario of the user's own; raise ScenarioError, or OSError if the file cannot be read."""
    try:
        text = path.read_text(encoding="utf-8")
    except UnicodeDecodeError as error:
        raise ScenarioError(f"{path} cannot be read: it is not UTF-8 text.") from error
    # A file may have a name that is no text; what is no character of it becomes a question mark.
    return parse(text, str(path), path.stem.encode(errors="replace").decode())


def parse(text: str, where: str, name: str = "") -> Scenario:
    """Read a scenario from TOML; `where` begins the sentence of a ScenarioError."""
    try:
        document = tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        raise ScenarioError(f"{where} is not valid TOML: {error}.") from error
    for key in document:
        if key not in _KNOWN:
            raise ScenarioError(f"{where}: {_unknown(key)}")
    if not isinstance(document.get("workload", {}), dict):
        raise ScenarioError(f"{where}: workload must be a table: [workload].")
    try:
        texts = {key: " ".join(value.split()) for key, value in document.items() if isinstance(value, str)}
        scenario = msgspec.convert({**document, **texts, "name": name}, Scenario)
        phases = [msgspec.structs.replace(phase, watch=" ".join(phase.watch.split())) for phase in scenario.phases]
        scenario = msgspec.structs.replace(scenario, phases=tuple(phases))
    except msgspec.ValidationError as error:
        raise ScenarioError(f"{where}: {_sentence(str(error), document)}") from error
    _check(scenario, where)
    return scenario


_KNOWN: Final = tuple(field.name for field in msgspec.structs.fields(Scenario) if field.name != "name")


def _check(scenario: Scenario, where: str) -> None:
    """Check what depends on more than one key."""
    try:
        from_mapping(scenario.workload)
    except WorkloadError as error:
        raise ScenarioError(f"{where}: workload.{error}") from error
    seen: set[str] = set()
    for number, phase in enumerate(scenario.phases):
        if phase.name in seen:
            raise ScenarioError(f"{where}: phases[{number}].name: {phase.name!r} is there twice.")
        seen.add(phase.name)
        try:
            scenario.workload_of(phase)
        except WorkloadError as error:
            raise ScenarioError(f"{where}: phases[{number}].workload.{error}") from error
    for number, effect in enumerate(scenario.effects):
        for key, name in (("of", effect.of), ("against", effect.against)):
            if name is not None and name not in seen:
                raise ScenarioError(f"{where}: effects[{number}].{key}: there is no phase {name!r}.")
        if effect.against == effect.of and effect.against_figure in (None, effect.figure):
            raise ScenarioError(f"{where}: effects[{number}].against: {effect.of!r} against itself is always 1.")
        if effect.at_least is None and effect.at_most is None:
            raise ScenarioError(f"{where}: effects[{number}]: give at-least or at-most.")
    for number, sweep in enumerate(scenario.sweeps):
        for name in sweep.phases:
            if name not in seen:
                raise ScenarioError(f"{where}: sweeps[{number}].phases: there is no phase {name!r}.")
        if sweep.published and len(sweep.published) != len(sweep.phases):
            raise ScenarioError(
                f"{where}: sweeps[{number}].published: has {len(sweep.published)} values for "
                f"{len(sweep.phases)} phases."
            )


def _unknown(key: str) -> str:
    if key in KEYS:
        return f"{key}: belongs under [workload]."
    near = difflib.get_close_matches(key, _KNOWN, 1)
    return f"{key}: there is no such key; " + (
        f"did you mean {near[0]}?" if near else f"known are {', '.join(_KNOWN)}."
    )


def _sentence(error: str, document: Mapping[str, Any]) -> str:
    """Turn msgspec's words into `key: what is wrong with it`."""
    found = re.search(r"^(?P<what>.*?)(?: - at `\$\.?(?P<key>[^`]*)`)?$", error)
    assert found is not None
    key, what = found["key"] or "", found["what"]
    value = document.get(key, "")
    if what.startswith("Expected `str`"):
        return f"{key}: {value!r} is not a text." if key in document else f"{key}: is not a text."
    return f"{key}: {what[0].lower()}{what[1:]}." if key else f"{what}."
