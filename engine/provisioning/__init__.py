"""From a plan that a person approved to running machines, and back: state, approvals, durable workflows, providers, drift.

Front doors: `state.store.StateStore` (what is recorded), `plan` (what would change), `approval` (who allowed it), `workflow`
(doing it so that a crash loses nothing), `providers` (the clouds). Nothing here asks a person or reads settings.
"""
