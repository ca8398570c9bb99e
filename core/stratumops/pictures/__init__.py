"""Pictures for people: bars and graphs as SVG, and SVG as PNG."""
