"""Several items in one request (`batch_input`): reading them, and answering each with its result or its error.

Source: Vault's API page of the transit engine; the sentences are OpenBao's, with 400 where it answers 500 to a client's mistake.
"""

import asyncio
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from svault.errors import BadRequestError
from svault.logical import Fields, Request, Response

Item = Mapping[str, Any]
_TEXTS = ("plaintext", "ciphertext", "context", "associated_data", "input", "signature", "hmac", "reference")
_GO_TYPES = {bool: "bool", int: "json.Number", float: "json.Number", list: "[]interface {}", dict: "map[string]interface {}"}
_AT_ONCE = 64
"""Items after which the event loop serves somebody else."""


def read_items(request: Request, required: str = "") -> list[Item] | None:
    """The items of a batch, or None when the request is a single one. Every text in them is one. Raises BadRequestError.

    `required` is a field that every item must have; without one, numbers count as texts, as OpenBao has it.
    """
    raw = request.data.get("batch_input")
    if raw is None:
        return None
    if not isinstance(raw, list):
        raise BadRequestError(f"failed to parse batch input: source data must be an array or slice, got {_go_type(raw)}")
    if not raw:
        raise BadRequestError("missing batch input to process")
    return [_read_item(index, item, required) for index, item in enumerate(raw)]


def _read_item(index: int, raw: Any, required: str) -> Item:
    if not isinstance(raw, dict):
        raise BadRequestError(f"failed to parse batch input: [{index}] expected a map, got '{_go_type(raw)}'")
    item: dict[str, Any] = {}
    for name in _TEXTS:
        value = raw.get(name)
        if not required and isinstance(value, int | float) and not isinstance(value, bool):
            value = str(value)
        if isinstance(value, str):
            item[name] = value
        elif value is not None:
            _refuse(index, name, "string", value)
    if required and required not in item:
        verb = "encrypt" if required == "plaintext" else "decrypt"
        raise BadRequestError(f"failed to parse batch input: '[{index}].{required}' missing {required} to {verb}")
    version = raw.get("key_version", 0)
    if isinstance(version, bool) or not isinstance(version, int | None):
        _refuse(index, "key_version", "int", version)
    item["key_version"] = version or 0
    return item


def _refuse(index: int, name: str, wanted: str, value: Any) -> None:
    raise BadRequestError(
        f"failed to parse batch input: '[{index}].{name}' expected type '{wanted}', got unconvertible type '{_go_type(value)}'"
    )


def _go_type(value: Any) -> str:
    return _GO_TYPES.get(type(value), "string" if isinstance(value, str) else "<nil>")


def require_same_contexts(items: Sequence[Item]) -> None:
    """Raises BadRequestError when some items have a context and others none."""
    if len({bool(item.get("context")) for item in items}) > 1:
        raise BadRequestError("context should be set either in all the request blocks or in none")


async def each(
    items: Sequence[Item], work: Callable[[int, Item], dict[str, Any]], failed: Mapping[str, Any]
) -> list[dict[str, Any]]:
    """The result of each item, or `failed` with its error, and its reference."""
    results = []
    for index, item in enumerate(items):
        try:
            result = work(index, item)
        except BadRequestError as error:
            result = {**failed, "error": error.errors[0]}
        result["reference"] = item.get("reference", "")
        results.append(result)
        if index % _AT_ONCE == _AT_ONCE - 1:
            await asyncio.sleep(0)
    return results


def answer(fields: Fields, results: list[dict[str, Any]]) -> Response:
    """A batch's answer: 400 when an item failed, or `partial_failure_response_code` when others did not."""
    response = Response(data={"batch_results": results})
    failures = sum("error" in result for result in results)
    if failures:
        response.status = 400
        code = fields.integer("partial_failure_response_code")
        if "partial_failure_response_code" in fields and failures < len(results):
            if 1 <= code <= 599:
                response.status = code
            else:
                response.warnings.append(
                    "invalid HTTP response code override from partial_failure_response_code, reverting to 400"
                )
    return response
