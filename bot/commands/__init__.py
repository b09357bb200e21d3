"""Chat commands, one file each, registered with their role and help."""
