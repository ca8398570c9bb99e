"""The contract's assertions are rewritten like those of a test module."""

import pytest

pytest.register_assert_rewrite("tests.provisioning.provider_contract", "tests.provisioning.worlds")
