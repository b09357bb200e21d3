"""Indicators of the condition language; one file each, registered by name."""
