"""UpCloud against what every provider must do, with the fake of recorded answers behind it."""

from collections import Counter
from collections.abc import Callable

import pytest
from tests.provisioning.provider_contract import ProviderContract
from tests.provisioning.upcloud.examples import EXAMPLES
from tests.provisioning.upcloud.fake import FakeUpCloud


class TestUpCloud(ProviderContract):
    examples = EXAMPLES

    @pytest.fixture
    def objects(self, fake: FakeUpCloud) -> Callable[[str], Counter[str]]:
        return fake.objects
