"""Doing a plan so that a crash loses nothing: durable steps, retries, cancellation, the way back, progress.

Front doors: `control.Control` (submit, status, cancel, resume, wait, follow), `runtime.Runtime` (starts and stops the durable
machinery of one workspace), `engine.Engine` (what it works with), `tasks` (steps that make no resource).
"""
