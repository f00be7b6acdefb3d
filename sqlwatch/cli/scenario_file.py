"""Finding a scenario: a lesson by its name, or a TOML file; errors name the file and the key or line."""

from __future__ import annotations

import difflib
from pathlib import Path

from simulators.scenario import Scenario, ScenarioError, builtin, names, read
from sqlwatch.cli.exits import CommandError, ExitCode
from sqlwatch.cli.scenario_words import plain_words
from sqlwatch.diagnose.lesson import check_figures


def find_scenario(name: str) -> Scenario:
    """Return the scenario that a name or path means, checked; raise CommandError with a sentence."""
    if not name.strip():
        raise CommandError(
            "Name a lesson (`sqlwatch scenarios` lists them) or a TOML file; this is empty.", ExitCode.USAGE
        )
    path = Path(name)
    is_path = path.suffix == ".toml" or len(path.parts) > 1 or path.exists()
    try:
        scenario = read(path) if is_path else builtin(name)
        check_figures(scenario, name)
    except FileNotFoundError:
        raise CommandError(_not_found(path), ExitCode.USAGE) from None
    except OSError as error:
        raise CommandError(f"{path} cannot be read: {error.strerror}.", ExitCode.CANNOT_OBSERVE) from error
    except ScenarioError as error:
        raise CommandError(plain_words(str(error)), ExitCode.USAGE) from error
    return scenario


def _not_found(path: Path) -> str:
    if path.stem in names():
        return f"There is no file {path}. There is a lesson {path.stem}."
    directory = path.parent
    files = [file.name for file in directory.glob("*.toml")] if directory.is_dir() else []
    near = difflib.get_close_matches(path.name, files, 1, cutoff=0.5)
    if near:
        return f"There is no file {path}. Did you mean {directory / near[0]}?"
    lessons = difflib.get_close_matches(path.stem, names(), 1, cutoff=0.6)
    hint = f" There is a lesson {lessons[0]}." if lessons else " Name a TOML file with a table [workload], or a lesson."
    return f"There is no file {path}.{hint}"
