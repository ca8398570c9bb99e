"""Pages that a person opens (MCP's elicitation in URL mode): the client shows the address, and no model needs to repeat it.

Clients of 2026-07-28 are answered "input required" and call again; older ones are asked while their call waits. A client that
knows neither gets the address in the answer. What the person types goes to the page, never through the client.
"""

import json
import secrets
from typing import Any

from mcp.server.mcpserver import Context
from mcp_types import ElicitRequest, ElicitRequestURLParams, ElicitResult, InputRequiredResult
from mcp_types.version import is_version_at_least

from stratumops.schema import Json

_KEY = "page"
_SINCE = "2026-07-28"
_MESSAGE = "Open this page in your browser: what you type there goes straight into the vault, not to the assistant."
_DECLINED = "the person did not open the page: nothing will be stored"


async def shown(context: Context[Any, Any] | None, url: str, answer: Json) -> Json | InputRequiredResult:
    """The answer after the client has shown the address; unchanged for a client that cannot."""
    capabilities = context.client_capabilities if context is not None else None
    if context is None or capabilities is None or capabilities.elicitation is None or capabilities.elicitation.url is None:
        return answer
    without = {name: value for name, value in answer.items() if name != "url"}
    if is_version_at_least(context.request_context.session.protocol_version, _SINCE):
        asked = ElicitRequest(params=ElicitRequestURLParams(message=_MESSAGE, url=url))
        return InputRequiredResult(input_requests={_KEY: asked}, request_state=json.dumps(without))
    result = await context.elicit_url(_MESSAGE, url, secrets.token_urlsafe(16))
    return _answered(without, is_accepted=result.action == "accept")


def resumed(context: Context[Any, Any] | None) -> Json | None:
    """The answer of a call that comes again after the client has shown its page; None for any other call."""
    if context is None or context.request_state is None or _KEY not in (responses := context.input_responses or {}):
        return None
    response = responses[_KEY]
    return _answered(
        json.loads(context.request_state), is_accepted=isinstance(response, ElicitResult) and response.action == "accept"
    )


def _answered(answer: Json, *, is_accepted: bool) -> Json:
    return answer if is_accepted else answer | {"notes": [_DECLINED]}
