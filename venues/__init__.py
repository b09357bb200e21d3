"""Speaking to venues: what sources and brokers share, from polite requests to open sockets."""
