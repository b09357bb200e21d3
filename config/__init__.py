"""Floor 2: what a user writes: strict YAML, settings, universes and condition files."""
