"""The lessons: a TOML file each."""
