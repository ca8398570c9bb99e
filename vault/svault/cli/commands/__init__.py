"""The commands, a module for each group; loaded when they are used."""
