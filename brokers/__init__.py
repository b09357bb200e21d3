"""Floor 3: brokers that take orders; one file each, registered by name."""
