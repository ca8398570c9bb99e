"""Answers as bytes: JSON, and errors in the one shape that every face uses."""

import json
from collections.abc import Mapping
from typing import Any

from starlette.responses import Response

from stratumops.errors import StratumError

JSON_TYPE = "application/json"


def to_json(value: Any) -> bytes:
    """Compact UTF-8 JSON (RFC 8259). Raises ValueError for what JSON has no word for."""
    return json.dumps(value, ensure_ascii=False, allow_nan=False, separators=(",", ":")).encode("utf-8")


def json_response(value: Any, status: int = 200, headers: Mapping[str, str] | None = None) -> Response:
    """A JSON answer."""
    return Response(to_json(value), status, headers, JSON_TYPE)


def error_response(error: StratumError, headers: Mapping[str, str] | None = None) -> Response:
    """An error as `{"error": {"code", "message", "hint", "details"}}` with its HTTP status."""
    # An error may quote what a caller sent: a character that UTF-8 cannot carry must not turn it into another error.
    body = json.dumps(error.as_dict(), ensure_ascii=True, separators=(",", ":"), default=str)
    return Response(body, error.http_status, headers, JSON_TYPE)
