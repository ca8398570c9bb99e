"""Kogral's own MCP door: the original's tool names and parameters."""
