"""What the parts of `sys/` have in common."""

from typing import TYPE_CHECKING

from svault.logical.engine import Engine, Mount

if TYPE_CHECKING:
    from svault.core.active import Active


class SystemPart(Engine):
    """A part of the system engine: it works on the vault's active parts."""

    kind = "system"

    def __init__(self, mount: Mount, active: "Active") -> None:
        super().__init__(mount)
        self._active = active
