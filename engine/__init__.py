"""Floor 4: ticks to bars to signals to alerts and orders; no I/O library and no clock of its own."""
