"""What the server counts about itself, for Prometheus at `/metrics`."""

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram, generate_latest

from stratumops import __version__

BUCKETS = (0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 30.0, 60.0)


class Metrics:
    """The counters of one application; a registry of its own, so that two applications in one process do not mix."""

    content_type = "text/plain; version=1.0.0; charset=utf-8"

    def __init__(self) -> None:
        self.registry = CollectorRegistry()
        self._calls = Counter(
            "prov_tool_calls_total", "Tool calls by tool, face and outcome (ok or the error's code)", ["tool", "face", "outcome"],
            registry=self.registry,
        )  # fmt: skip
        self._seconds = Histogram(
            "prov_tool_call_duration_seconds", "Time of a tool call by tool and face", ["tool", "face"],
            buckets=BUCKETS, registry=self.registry,
        )  # fmt: skip
        self._requests = Counter(
            "prov_http_requests_total",
            "HTTP requests by route, method and status",
            ["route", "method", "status"],
            registry=self.registry,
        )
        self._messages = Counter(
            "prov_mcp_requests_total",
            "MCP requests by method and outcome (ok, refused: the answer says so, or the error's code)",
            ["method", "outcome"],
            registry=self.registry,
        )
        self._message_seconds = Histogram(
            "prov_mcp_request_duration_seconds", "Time of an MCP request by method", ["method"],
            buckets=BUCKETS, registry=self.registry,
        )  # fmt: skip
        info = Gauge("prov_build_info", "The running version", ["version"], registry=self.registry)
        info.labels(version=__version__).set(1)

    def observe(self, tool: str, face: str, outcome: str, seconds: float) -> None:
        """Count one tool call."""
        self._calls.labels(tool=tool, face=face, outcome=outcome).inc()
        self._seconds.labels(tool=tool, face=face).observe(seconds)

    def observe_request(self, route: str, method: str, status: int) -> None:
        """Count one HTTP request; `route` is the pattern, never the path, so that labels stay few."""
        self._requests.labels(route=route, method=method, status=str(status)).inc()

    def observe_message(self, method: str, outcome: str, seconds: float) -> None:
        """Count one MCP request; `method` is one that the protocol knows, so that labels stay few."""
        self._messages.labels(method=method, outcome=outcome).inc()
        self._message_seconds.labels(method=method).observe(seconds)

    def render(self) -> bytes:
        """The text that Prometheus scrapes."""
        return generate_latest(self.registry)
