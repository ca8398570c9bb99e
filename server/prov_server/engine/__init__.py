"""The engine in a server or a command: where its state is, with which accounts, which secrets, and which person's approval."""
