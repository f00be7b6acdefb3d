"""sqlwatch: see who holds, who waits for and who starves on a SQLite database's locks."""

__version__ = "0.1.0"
