"""AWS does what every provider must, kind by kind, against moto over HTTP."""

from collections import Counter
from collections.abc import Callable
from typing import Any

import pytest
from tests.provisioning.aws.counting import count
from tests.provisioning.aws.examples import EXAMPLES
from tests.provisioning.provider_contract import ProviderContract
from tests.provisioning.worlds import Example, World


class TestAws(ProviderContract):
    examples = EXAMPLES
    cuts = ("call",)  # what an intent leaves behind is what the call before it left
    together = True

    @pytest.fixture
    def world(self, make: Callable[[Example], World], example: Example) -> World:
        """On the ground that the example's tests share."""
        return make(example)

    @pytest.fixture
    def objects(self, client: Callable[[str], Any], example: Example) -> Callable[[str], Counter[str]]:
        kind = example.address.partition(".")[0]
        return lambda _: count(client, kind)
