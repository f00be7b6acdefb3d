"""Where a source, the fold and the diagnosis are wired: start a session, get Snapshots, stop it."""
