"""Approvals: a person signs the hash of a plan. Whoever carries one out asks here first, and is told no unless a signature holds.

No terminal here: `prov_server.approval` asks the person. `keys` and `key_files` are an approver's key, `trust` whom a workspace
believes, `document` what is signed and when it holds, `approvals` all of it for one workspace. Others use `Approvals`.
"""
