"""The version that `sys/health` and `sys/seal-status` tell."""

from importlib.metadata import version

VERSION = version("stratumops")
