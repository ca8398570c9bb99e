"""The commands `kogral` and `kogral-mcp`."""
