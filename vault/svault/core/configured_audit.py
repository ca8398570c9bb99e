"""The audit devices of the configuration file: enabled, changed and disabled as the file says, when the vault is unsealed."""

from collections.abc import Sequence

from svault.audit.broker import AuditBroker
from svault.core.settings import CONFIGURED, AuditDevice
from svault.errors import BadRequestError, StorageError

_DESCRIPTION = "of the configuration file"


async def apply_audit_devices(broker: AuditBroker, wanted: Sequence[AuditDevice] | None) -> None:
    """Make the devices under `CONFIGURED` those that the file names; others stay. None: nothing is changed.

    Raises StorageError when one cannot be written: a vault that should be audited is not unsealed without.
    """
    if wanted is None:
        return
    by_path = {device.path: device for device in wanted}
    for path, known in broker.devices().items():
        device = by_path.get(path)
        if device is not None and (known.kind, dict(known.options)) == (device.kind, dict(device.options)):
            del by_path[path]
        elif path.startswith(CONFIGURED):
            await broker.disable(path)
    for device in by_path.values():
        try:
            await broker.enable(device.path, device.kind, _DESCRIPTION, device.options, local=False)
        except BadRequestError as error:
            raise StorageError(f"the audit device of the configuration cannot be enabled: {error.message}") from None
