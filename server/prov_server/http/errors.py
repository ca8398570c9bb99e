"""Errors that only HTTP knows: they are about the request itself, before any tool is asked."""

from stratumops.errors import InvalidInputError, PermissionDeniedError


class BadRequestError(InvalidInputError):
    """The bytes are not HTTP, or the request contradicts itself."""

    code, http_status = "bad_request", 400


class UnauthenticatedError(PermissionDeniedError):
    """No token, or one that nobody was given (RFC 6750)."""

    code, http_status = "unauthenticated", 401


class MethodNotAllowedError(InvalidInputError):
    """The address exists, but not with this method."""

    code, http_status = "method_not_allowed", 405


class RequestTimeoutError(InvalidInputError):
    """The client did not send its whole request in time."""

    code, http_status = "request_timeout", 408


class RequestTooLargeError(InvalidInputError):
    """The body is larger than `server.max_request_bytes`."""

    code, http_status = "request_too_large", 413


class UnsupportedMediaTypeError(InvalidInputError):
    """The body is not declared as JSON."""

    code, http_status = "unsupported_media_type", 415


class MisdirectedRequestError(InvalidInputError):
    """The Host header names somebody else: a wrong address, or a DNS rebinding attack (RFC 9110, 15.5.20)."""

    code, http_status = "misdirected_request", 421
