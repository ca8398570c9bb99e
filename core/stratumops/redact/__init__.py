"""Keep secret values out of everything that leaves the product: results, errors, progress, resources, logs, traces, audit."""

from stratumops.redact.redactor import REDACTED, RedactingFilter, Redactor

__all__ = ["REDACTED", "RedactingFilter", "Redactor"]
