"""A SQLite database seen from outside: bytes, locks and processes; read-only, and never through SQLite.

Closing any descriptor of a file drops all POSIX locks its process has on that file, so nothing of this package may be
used in a process that has a SQLite connection to the database it looks at.
"""
