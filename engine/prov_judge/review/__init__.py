"""Everything that is to be said about a configuration in one go: findings, cost, compliance, savings, and what changes."""
