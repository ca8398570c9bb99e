"""Kogral: what a team knows, as plain markdown in `.kogral/`, linked, searchable and kept by git.

Others use `kogral.knowledge.Knowledge`; `kogral` and `kogral-mcp` are its own doors.
"""
