"""The wholes behind a review, each as a file that is made when somebody reads it."""

import json
from collections.abc import Callable, Mapping
from functools import partial
from typing import Any

from prov_judge.compliance.document import as_dict as assessment_as_dict
from prov_judge.cost.document import as_json as estimate_as_json
from prov_judge.review.markdown import as_markdown
from prov_judge.review.model import Review

Document = tuple[str, Callable[[], str]]
"""A file's name (its ending says the format), and what makes its text."""


def documents(review: Review) -> Mapping[str, Document]:
    """The review for a person, and findings, estimate and assessments for programs."""
    found: dict[str, Document] = {
        "review": ("review.md", partial(as_markdown, review)),
        "findings": ("findings.json", partial(_json, {"findings": [one.model_dump(mode="json") for one in review.findings]})),
    }
    if review.estimate:
        found["cost"] = ("estimate.json", partial(estimate_as_json, review.estimate))
    if review.assessments:
        found["compliance"] = ("compliance.json", partial(_assessments, review))
    return found


def _assessments(review: Review) -> str:
    return _json({one.framework: assessment_as_dict(one) for one in review.assessments})


def _json(value: Any) -> str:
    return json.dumps(value, ensure_ascii=False, indent=1)
