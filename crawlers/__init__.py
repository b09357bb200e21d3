"""Floor 3: sources of ticks and bars; one file each, registered by name."""
