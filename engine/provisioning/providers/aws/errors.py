"""What an error of botocore means for the engine: rows of `errors.toml`, and what happened before any answer came."""

import re
import tomllib
from fnmatch import fnmatchcase
from functools import cache
from pathlib import Path
from typing import Any

from provisioning.errors import ProviderAccountError, ProviderBusyError, ProviderError, ProviderSilentError

TABLE = Path(__file__).with_name("errors.toml")
MOST_WORDS = 400
"""Characters of AWS's own words that a message repeats."""

# What a message may repeat of a request that is a secret or leads to one: key ids, signatures, authorization headers.
_HIDDEN = re.compile(
    r"\b(?:AKIA|ASIA)[A-Z0-9]{12,}\b|(?i:\bsignature|\bcredential|x-amz-security-token|\bpassword)(?:\s*[=:]\s*|\s+is\s+)\S+|\b[0-9a-f]{64}\b"
)


class GoneError(ProviderError):
    """What was asked for does not exist (any more): for a deletion that is success, for a look "gone"."""


@cache
def _table() -> dict[str, Any]:
    return tomllib.loads(TABLE.read_text(encoding="utf-8"))


def _kind_of(code: str, status: int) -> str:
    for kind in ("account", "quota", "busy", "silent", "gone"):
        row = _table()[kind]
        is_one = any(fnmatchcase(code, pattern) for pattern in row["codes"])
        if is_one and not any(fnmatchcase(code, pattern) for pattern in row.get("except", ())):
            return kind
    return "busy" if status >= 500 or status == 429 else ""


def cleaned(words: str, secrets: tuple[str, ...] = ()) -> str:
    """AWS's words without what is secret: the given values, key ids, signatures, passwords that a request repeats."""
    for secret in secrets:
        words = words.replace(secret, "***")
    return _HIDDEN.sub("***", " ".join(words.split()))[:MOST_WORDS]


def translated(error: Exception, call: str, where: str, secrets: tuple[str, ...] = ()) -> ProviderError:
    """The engine's error for one of botocore's. `call` is the API's name of what was asked, `where` the region or endpoint."""
    from botocore import exceptions as boto  # type: ignore[import-untyped] # noqa: PLC0415 - it has no types; only with the extra

    if isinstance(error, boto.ClientError):
        return _answered(error.response, call, where, secrets)
    if isinstance(
        error, boto.NoCredentialsError | boto.PartialCredentialsError | boto.CredentialRetrievalError | boto.ProfileNotFound
    ):
        return ProviderAccountError(
            "AWS: there are no credentials that can be used",
            hint="Give them with `prov provider add aws`, or name a profile of ~/.aws/config there.",
            call=call,
        )
    if isinstance(error, boto.ConnectTimeoutError | boto.EndpointConnectionError | boto.ProxyConnectionError | boto.SSLError):
        return ProviderBusyError(
            f"AWS cannot be reached for {call} ({where})", hint="Check the network, the region and the endpoint.", call=call
        )
    if isinstance(error, boto.HTTPClientError | boto.IncompleteReadError | boto.ResponseStreamingError | boto.ConnectionError):
        return ProviderSilentError(f"AWS gave no answer to {call} ({where}) in time: it may have been done", call=call)
    if type(error).__name__ == "ResponseParserError":
        # An answer that is none: a gateway's page instead of the service's document.
        return ProviderSilentError(f"AWS answered {call} ({where}) with something unreadable: it may have been done", call=call)
    return ProviderError(f"AWS: {call} cannot be asked: {cleaned(str(error), secrets)}", call=call)


def _answered(response: Any, call: str, where: str, secrets: tuple[str, ...]) -> ProviderError:
    problem, meta = response.get("Error", {}), response.get("ResponseMetadata", {})
    code, status = str(problem.get("Code", "")), int(meta.get("HTTPStatusCode", 0))
    words = cleaned(str(problem.get("Message", "")), secrets)
    message = f"AWS: {call} ({where}): {code}: {words}"
    about = {"call": call, "aws_code": code, "request_id": str(meta.get("RequestId", ""))}
    match _kind_of(code, status):
        case "account":
            return ProviderAccountError(message, hint=_table()["account"]["hint"], **about)
        case "quota":
            return ProviderError(message, hint=_table()["quota"]["hint"], **about)
        case "busy":
            return ProviderBusyError(message, **about)
        case "silent":
            return ProviderSilentError(message, **about)
        case "gone":
            return GoneError(message, **about)
    return ProviderError(message, **about)
