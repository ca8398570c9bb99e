"""Who may come in: tokens, and the methods that log somebody in."""
