"""`svault lease`."""

import click

from svault.cli.commands.tables import LEASE
from svault.cli.failure import CommandError
from svault.cli.rows import group
from svault.cli.session import Session

lease = group("lease", "Look up, renew and revoke leases.", LEASE)


@lease.command("revoke")
@click.argument("lease_id", metavar="ID")
@click.option("--prefix", is_flag=True, help="All leases below a path.")
@click.option("--force", is_flag=True, help="With -prefix: also when what they stand for cannot be undone.")
@click.option("--sync", is_flag=True, help="Wait until it is done.")
def revoke(lease_id: str, prefix: bool, force: bool, sync: bool) -> int:
    """End a lease now, or with -prefix all below a path."""
    if force and not prefix:
        raise CommandError("-force needs -prefix")
    session = Session.current()
    if prefix:
        answer = session.vault.ask(
            "PUT", f"sys/leases/revoke-{'force' if force else 'prefix'}/{lease_id.strip('/')}", {"sync": sync}
        )
        return session.show(answer, f"Success! Revoked any leases with prefix: {lease_id}")
    answer = session.vault.ask("PUT", "sys/leases/revoke", {"lease_id": lease_id, "sync": sync})
    return session.show(answer, "All revocation operations queued successfully!")
