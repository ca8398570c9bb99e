"""Entries in an etcd cluster, shared by several servers."""

import os

# gRPC reads these when it is loaded. Its own log tells each refused connection, several times a second; we raise StorageError.
os.environ.setdefault("GRPC_VERBOSITY", "NONE")
# Its handlers of forks can end or block a child that only wants to run another program.
os.environ.setdefault("GRPC_ENABLE_FORK_SUPPORT", "false")

from svault.storage.etcd.entries import EtcdStorage  # after the setting that it reads

__all__ = ["EtcdStorage"]
