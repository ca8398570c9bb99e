"""The secret engines, one folder each. Each one imports nothing of another."""
