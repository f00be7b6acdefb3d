"""Reading a workload from a TOML file, with errors that name the file and the key or line."""

from __future__ import annotations

import difflib
import tomllib
from pathlib import Path
from typing import Any, Final

from simulators.workload import KEYS, WorkloadError, from_mapping
from sqlwatch.cli.exits import CommandError, ExitCode

_TEXTS: Final = ("title", "source", "question")
_KNOWN: Final = (*_TEXTS, "workload")


def read_workload_file(name: str) -> dict[str, Any]:
    """Return the workload's parameters in a file, checked; raise CommandError (usage) with a sentence."""
    path = Path(name)
    try:
        document = tomllib.loads(path.read_text(encoding="utf-8"))
    except FileNotFoundError:
        raise CommandError(_not_found(path), ExitCode.USAGE) from None
    except (OSError, UnicodeDecodeError) as error:
        reason = error.strerror if isinstance(error, OSError) else "it is not UTF-8 text"
        raise CommandError(f"{path} cannot be read: {reason}.", ExitCode.CANNOT_OBSERVE) from error
    except tomllib.TOMLDecodeError as error:
        raise CommandError(f"{path} is not valid TOML: {error}.", ExitCode.USAGE) from error
    for key, value in document.items():
        if key not in _KNOWN:
            raise CommandError(f"{path}: {_unknown(key)}", ExitCode.USAGE)
        if key in _TEXTS and not isinstance(value, str):
            raise CommandError(f"{path}: {key}: {value!r} is not a text.", ExitCode.USAGE)
    workload = document.get("workload", {})
    if not isinstance(workload, dict):
        raise CommandError(f"{path}: workload must be a table: [workload].", ExitCode.USAGE)
    try:
        from_mapping(workload)
    except WorkloadError as error:
        raise CommandError(f"{path}: workload.{error}", ExitCode.USAGE) from error
    return workload


def _not_found(path: Path) -> str:
    directory = path.parent
    files = [file.name for file in directory.glob("*.toml")] if directory.is_dir() else []
    near = difflib.get_close_matches(path.name, files, 1, cutoff=0.5) or difflib.get_close_matches(
        f"{path.name}.toml", files, 1, cutoff=0.8
    )
    hint = f" Did you mean {directory / near[0]}?" if near else " Name a TOML file with a table [workload]."
    return f"There is no file {path}.{hint}"


def _unknown(key: str) -> str:
    if key in KEYS:
        return f"{key}: belongs under [workload]."
    near = difflib.get_close_matches(key, _KNOWN, 1)
    return f"{key}: there is no such key; " + (
        f"did you mean {near[0]}?" if near else f"known are {', '.join(_KNOWN)}."
    )
