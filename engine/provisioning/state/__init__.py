"""What is recorded: resources by serial, operations with their steps, the journal of provider calls, plans, approvals, the lease.

`store.StateStore` is the door; SQLite in the workspace by default, PostgreSQL by URL.
"""
