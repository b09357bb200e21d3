"""Floor 3: the condition language: expressions over a panel, and the lifecycle of a condition."""
