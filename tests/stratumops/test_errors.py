"""The hierarchy of errors is stable API: codes, statuses and exit codes."""

import json

import pytest

from stratumops import errors
from stratumops.errors import InvalidInputError, NotFoundError, StratumError

# Written out, because clients and scripts depend on it: a change here is a breaking change.
STABLE = {
    "InternalError": ("internal", 500, 10),
    "InvalidInputError": ("invalid_input", 422, 2),
    "NotFoundError": ("not_found", 404, 3),
    "ConflictError": ("conflict", 409, 4),
    "PermissionDeniedError": ("permission_denied", 403, 5),
    "ApprovalRequiredError": ("approval_required", 403, 6),
    "BudgetExceededError": ("budget_exceeded", 429, 7),
    "UnavailableError": ("unavailable", 503, 8),
    "ExternalError": ("external", 502, 9),
}


def declared() -> dict[str, type[StratumError]]:
    found = {name: one for name, one in vars(errors).items() if isinstance(one, type) and issubclass(one, StratumError)}
    del found["StratumError"]
    return found


def test_codes_statuses_and_exit_codes_are_the_promised_ones():
    assert {name: (one.code, one.http_status, one.exit_code) for name, one in declared().items()} == STABLE


def test_no_two_errors_share_a_code_or_an_exit_code():
    classes = declared().values()
    assert len({one.code for one in classes}) == len({one.exit_code for one in classes}) == len(STABLE)


def test_exit_codes_0_and_1_are_kept_for_commands_that_worked():
    assert not {0, 1} & {one.exit_code for one in declared().values()}


@pytest.mark.parametrize("name", sorted(STABLE))
def test_every_error_says_in_its_docstring_what_it_means(name: str):
    assert (declared()[name].__doc__ or "").endswith(".")


def test_an_error_is_sent_as_the_same_four_fields_by_every_face():
    error = NotFoundError("there is no server web", hint="servers are listed by `prov list`", path="servers[0]", near=["web-1"])
    assert error.as_dict() == {
        "error": {
            "code": "not_found",
            "message": "there is no server web",
            "hint": "servers are listed by `prov list`",
            "details": {"path": "servers[0]", "near": ["web-1"]},
        }
    }
    assert json.loads(json.dumps(error.as_dict())) == error.as_dict()
    assert str(error) == "there is no server web"


def test_an_error_without_hint_and_details_still_has_both_fields():
    assert InvalidInputError("no").as_dict()["error"] == {"code": "invalid_input", "message": "no", "hint": "", "details": {}}
