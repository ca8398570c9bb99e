"""JSON merge patches (RFC 7396), and the request that carries one."""

from collections.abc import Mapping
from typing import Any

from svault.errors import UnsupportedMediaTypeError
from svault.logical import Request

CONTENT_TYPE = "application/merge-patch+json"


def require_merge_patch(request: Request) -> None:
    """Raise UnsupportedMediaTypeError when the body is not declared as a merge patch."""
    if request.content_type.partition(";")[0].strip().lower() != CONTENT_TYPE:
        raise UnsupportedMediaTypeError(f"PATCH requires Content-Type of {CONTENT_TYPE}, provided {request.content_type}")


def merged(target: Any, patch: Mapping[str, Any]) -> dict[str, Any]:
    """The target with the patch's members: null removes one, an object is merged, anything else replaces."""
    result = dict(target) if isinstance(target, Mapping) else {}
    for name, value in patch.items():
        if value is None:
            result.pop(name, None)
        else:
            result[name] = merged(result.get(name), value) if isinstance(value, Mapping) else value
    return result
