"""Our fast paths beside named peers: one process, equal threads, values asserted equal."""
