"""The workload: writers and readers that fight for one SQLite database, and the fleet that runs them.

This package knows nothing of the dashboard.  Importing it imports no SQLite binding: only the modules that run inside
a worker process (`writer`, `reader`, `single_writer`, `prepare`, `count`) do.
"""
