"""Tools of the knowledge toolset: documents that are found, hypotheses for a symptom, what the workspace knows."""
