"""A configuration in the form of another tool, and back: what a form cannot carry is listed, never dropped in silence."""
