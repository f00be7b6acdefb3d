"""The paths and globs that a user names as logs."""

from __future__ import annotations

import fnmatch
import glob
import os

from sqlwatch.observe.text import printable


class Pattern:
    """A path, or a glob that the shell was kept from expanding; a file that is so named comes before its glob."""

    def __init__(self, text: str) -> None:
        self.text = text
        self.path = os.path.expanduser(text)  # noqa: PTH111 - a Path would change what the user wrote
        self.has_magic = glob.has_magic(self.path)
        directory, self._name = os.path.split(self.path)
        self.has_magic_directory = glob.has_magic(directory)
        while glob.has_magic(directory):
            directory = os.path.dirname(directory)  # noqa: PTH120 - as above
        self.directory = directory or "."
        """The innermost directory that the pattern names in plain words."""

    @property
    def is_glob(self) -> bool:
        """Whether it is to be expanded, as things stand."""
        return self.has_magic and not os.path.lexists(self.path)

    def paths(self) -> list[str]:
        """Return the paths it leads to now; a plain path even if there is nothing."""
        if not self.is_glob:
            return [self.path]
        return sorted(glob.glob(self.path, recursive=True))  # noqa: PTH207 - Path.glob takes no absolute pattern

    def may_match(self, name: str) -> bool:
        """Tell whether a file of that name may be one that the pattern leads to."""
        return name == self._name or (self.has_magic and fnmatch.fnmatchcase(name, self._name))

    def sentence_about_nothing(self) -> str:
        """Say why nothing matches."""
        try:
            os.scandir(self.directory).close()
        except PermissionError:
            return f"No permission to list the directory {printable(self.directory)}."
        except OSError:
            return f"There is no directory {printable(self.directory)} yet, so nothing matches {printable(self.text)}."
        return f"Nothing matches {printable(self.text)} yet."
