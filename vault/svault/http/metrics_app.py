"""The metrics on a listener of their own: for Prometheus, without a token, also while the vault is sealed or stands by."""

from svault.http.app import Receive, Scope, Send
from svault.metrics import Metrics

PATHS = ("/metrics", "/v1/sys/metrics")


class MetricsApp:
    """An ASGI application that answers nothing else."""

    def __init__(self, metrics: Metrics) -> None:
        self._metrics = metrics

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:  # noqa: ARG002 - ASGI's signature
        """Answer one request."""
        status, body, kind = 404, b'{"errors":[]}\n', "application/json"
        if scope["path"] in PATHS:
            if scope["method"] in {"GET", "HEAD"}:
                status, (body, kind) = 200, self._metrics.exposition()
            else:
                status, body = 405, b'{"errors":["unsupported operation"]}\n'
        headers = [(b"content-type", kind.encode()), (b"content-length", str(len(body)).encode())]
        await send({"type": "http.response.start", "status": status, "headers": headers})
        await send({"type": "http.response.body", "body": b"" if scope["method"] == "HEAD" else body})
