"""What every other part stands on: errors, tools and their registry, principals, settings, the workspace, logging.

Imports none of the other packages. Others use `errors`, `tool`, `registry`, `middleware`, `principal`, `progress`, `provider`,
`schema`, `settings`, `workspace`, `logging`; each module's public names are what it offers.
"""

__version__ = "0.1.0"
