"""A cloud to try things on: AWS's APIs, imitated by moto on loopback (the extra `sandbox`). Nothing in it costs anything.

`process.Sandbox` runs it for a workspace, `provider.SandboxProvider` acts on it. It keeps its cloud in memory: it ends with the
process, after eight hours without a call or when told.
"""
