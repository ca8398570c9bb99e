"""What passes between the core and an engine: requests, answers, routes, fields, durations, the clock."""

from svault.logical.clock import Clock, SystemClock, rfc3339
from svault.logical.durations import format_duration, parse_duration
from svault.logical.engine import Engine, LeaseRecord, Mount, MountOptions, System
from svault.logical.fields import Fields
from svault.logical.request import Auth, Identity, Lease, Operation, Request, Response
from svault.logical.routes import Route, Routes, route

__all__ = [
    "Auth",
    "Clock",
    "Engine",
    "Fields",
    "Identity",
    "Lease",
    "LeaseRecord",
    "Mount",
    "MountOptions",
    "Operation",
    "Request",
    "Response",
    "Route",
    "Routes",
    "System",
    "SystemClock",
    "format_duration",
    "parse_duration",
    "rfc3339",
    "route",
]
