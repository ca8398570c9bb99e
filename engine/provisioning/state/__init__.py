"""What is recorded: resources by serial, operations with their steps, the journal of provider calls, plans, approvals, the lease.

`store.StateStore` is the door; SQLite in the workspace by default, PostgreSQL by URL. `holder.this_process` is who takes a lease,
`transfer` takes a state elsewhere and back, `configuration` reads it as things and as a configuration. The rest is private.
"""
