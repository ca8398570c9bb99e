"""The examples of a check: a configuration that passes and one that fails, as the data has them and the tests run them."""

from typing import Any

from prov_corpus.frameworks import check_rows
from prov_judge.compliance.model import Check


def examples(check: Check) -> tuple[dict[str, Any] | None, dict[str, Any] | None]:
    """One that passes and one that fails; None where nothing can be decided from a configuration."""
    row = check_rows()[check.id]
    return row.get("passing"), row.get("failing")
