"""How many requests were answered, how, and how long it took: plain numbers, which another process can send."""

from bisect import bisect_left
from collections.abc import Iterator

from prometheus_client.core import CounterMetricFamily, HistogramMetricFamily
from prometheus_client.registry import Collector

BUCKETS = (0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5)
"""Upper bounds in seconds."""
_BOUNDS = [*(str(float(bound)) for bound in BUCKETS), "+Inf"]
Plain = tuple[list[tuple[str, str, list[float]]], list[tuple[int, int]]]


class Tally(Collector):
    """Counts, and tells Prometheus when it asks: counting there costs several times as much, for each request."""

    def __init__(self) -> None:
        self._times: dict[tuple[str, str], list[float]] = {}
        """By operation and kind of engine: how many fell between the bounds, and the sum of their seconds."""
        self._answers: dict[int, int] = {}

    def observe(self, operation: str, kind: str, status: int, seconds: float) -> None:
        """Count one answered request."""
        row = self._times.get((operation, kind))
        if row is None:
            row = self._times[operation, kind] = [0] * (len(_BOUNDS) + 1)
        row[bisect_left(BUCKETS, seconds)] += 1
        row[-1] += seconds
        self._answers[status] = self._answers.get(status, 0) + 1

    def taken(self) -> Plain:
        """All that was counted; it begins anew."""
        times, self._times = self._times, {}
        answers, self._answers = self._answers, {}
        return [(str(operation), kind, row) for (operation, kind), row in times.items()], list(answers.items())

    def add(self, counted: Plain) -> None:
        """Add what another process has counted."""
        times, answers = counted
        for operation, kind, row in times:
            known = self._times.get((operation, kind), [0] * len(row))
            self._times[operation, kind] = [one + other for one, other in zip(known, row, strict=True)]
        for status, count in answers:
            self._answers[status] = self._answers.get(status, 0) + count

    def collect(self) -> Iterator[HistogramMetricFamily | CounterMetricFamily]:
        """See Collector."""
        about = "Seconds to answer a request, by operation and kind of engine"
        times = HistogramMetricFamily("vault_core_handle_request", about, labels=["operation", "engine"])
        for (operation, kind), row in self._times.items():
            so_far, buckets = 0.0, []
            for bound, count in zip(_BOUNDS, row, strict=False):
                so_far += count
                buckets.append((bound, so_far))
            times.add_metric([operation, kind], buckets, row[-1])
        answers = CounterMetricFamily("vault_core_responses", "Answers, by status", labels=["status"])
        for status, count in self._answers.items():
            answers.add_metric([str(status)], count)
        yield times
        yield answers
