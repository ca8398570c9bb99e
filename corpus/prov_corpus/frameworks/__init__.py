"""Compliance checks as reviewed data: one TOML file for each family, and the four frameworks that they serve.

Others use: `frameworks` (names and versions), `check_rows` (the checks as written) and `check_ids`, `personal_data_countries`.
How a row is read is said in docs/explanation/compliance.md; the one interpreter is `prov_judge.compliance`.
"""

from prov_corpus.frameworks.rows import (
    FAMILIES,
    FrameworkFacts,
    check_ids,
    check_rows,
    frameworks,
    personal_data_countries,
)

__all__ = ["FAMILIES", "FrameworkFacts", "check_ids", "check_rows", "frameworks", "personal_data_countries"]
