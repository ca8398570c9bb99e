"""Which price holds: the shipped list, a refreshed list, or a negotiated price, in one book."""
