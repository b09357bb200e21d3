"""Floor 4: ticks to bars to signals to alerts and orders; no I/O library, no clock of its own."""
