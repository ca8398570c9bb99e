"""The workflows that are shipped, one TOML file each; `provisioning.workflow.definitions` reads them."""

from pathlib import Path

FOLDER = Path(__file__).parent
