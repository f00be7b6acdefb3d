"""Mistakes in a scenario file in plain words: what is wrong with which key, and what is meant."""

from __future__ import annotations

import difflib
import re
from collections.abc import Callable, Sequence
from typing import Final

import msgspec

from simulators.scenario import Effect, Phase, Published, Sweep

_TABLES: Final[dict[str, type[msgspec.Struct]]] = {
    "phases": Phase, "effects": Effect, "published": Published, "sweeps": Sweep,
}  # fmt: skip
_KINDS: Final = {
    "int": "a whole number", "float": "a number", "str": "a text", "bool": "true or false", "array": "a list",
    "object": "a table", "null": "nothing",
}  # fmt: skip


def plain_words(sentence: str) -> str:
    """Return the sentence of a ScenarioError without the words of the library that read the file.

    >>> plain_words("my.toml: phases[1]: object contains unknown field `nam`.")
    'my.toml: phases[1] (the 2nd): there is no key nam; did you mean name?'
    >>> plain_words("my.toml: effects[0].at-least: expected `float | null`, got `str`.")
    'my.toml: effects[0].at-least (the 1st): must be a number, and is a text.'
    >>> plain_words("my.toml: repeats: expected `int` >= 1.")
    'my.toml: repeats: must be a whole number of at least 1.'
    >>> plain_words("my.toml: sweeps[0].phases: expected `array` of length >= 2.")
    'my.toml: sweeps[0].phases (the 1st): must be a list of at least 2.'
    >>> plain_words("my.toml: phases[0]: object missing required field `name`.")
    'my.toml: phases[0] (the 1st): the key name is missing.'
    """
    for pattern, put in _PATTERNS:
        sentence = pattern.sub(put, sentence)
    return sentence


def _unknown(found: re.Match[str]) -> str:
    table, at, key = found["table"], found["at"], found["key"]
    known = [field.encode_name for field in msgspec.structs.fields(_TABLES[table])]
    near = difflib.get_close_matches(key, known, 1, cutoff=0.5)
    hint = f"did you mean {near[0]}?" if near else f"known are {', '.join(known)}."
    return f"{table}{at}: there is no key {key}; {hint}"


def _mismatch(found: re.Match[str]) -> str:
    return f"must be {_kinds(found['wanted'])}, and is {_kinds(found['got'])}"


def _range(found: re.Match[str]) -> str:
    least = "at least" if found["sign"] == ">=" else "at most"
    return f"must be {_kinds(found['wanted'])} of {least} {found['limit']}"


def _kinds(kinds: str) -> str:
    return " or ".join(_KINDS.get(kind, kind) for kind in kinds.split(" | ") if kind != "null")


def _ordinal(found: re.Match[str]) -> str:
    number = int(found["number"]) + 1
    ending = {1: "st", 2: "nd", 3: "rd"}.get(number % 10, "th") if number % 100 not in (11, 12, 13) else "th"
    return f"{found[0][:-1]} (the {number}{ending}):"


_Put = Callable[[re.Match[str]], str]
_PATTERNS: Final[Sequence[tuple[re.Pattern[str], _Put | str]]] = (
    (re.compile(r"(?P<table>\w+)(?P<at>\[\d+\]): object contains unknown field `(?P<key>[^`]*)`\."), _unknown),
    (re.compile(r"object missing required field `([^`]*)`"), r"the key \1 is missing"),
    (re.compile(r"expected `(?P<wanted>[^`]*)`, got `(?P<got>[^`]*)`"), _mismatch),
    (re.compile(r"expected `(?P<wanted>[^`]*)`(?: of length)? (?P<sign>[<>]=) (?P<limit>\S+?)(?=\.$)"), _range),
    (re.compile(r"(?:phases|effects|published|sweeps)\[(?P<number>\d+)\][\w.-]*(?:\[\d+\])?:"), _ordinal),
)
