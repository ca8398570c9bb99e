"""The vault itself: its state, its mounts, and the way of a request through it."""
