"""What every other part stands on: errors, tools and their registry, settings, the workspace, logging, redaction.

Imports nothing of the other packages. Others use: `errors`, `tool`, `registry`, `middleware`, `workspace`, `settings`,
`redact`, `logging`; each module's public names are what it offers.
"""

__version__ = "0.1.0"
