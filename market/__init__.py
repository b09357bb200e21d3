"""Floor 1: the words of the trade; imports nothing else of the project."""
