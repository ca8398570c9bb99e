"""From when until when a certificate is valid: what is asked for, within the role, the mount and the issuer."""

from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta

from svault.engines.pki.roles import Role, positive
from svault.engines.pki.times import go_duration, parse_time, shown_time
from svault.errors import BadRequestError
from svault.logical import Fields


@dataclass(frozen=True, slots=True)
class Limits:
    """What the mount and the issuer allow. `issuer_end` is None for a root; `behavior` is `err`, `truncate` or `permit`."""

    default_ttl: int
    max_ttl: int
    issuer_end: datetime | None = None
    behavior: str = "err"


@dataclass(slots=True)
class Validity:
    """Both ends, and what the client should be told about them."""

    not_before: datetime
    not_after: datetime
    warnings: list[str] = field(default_factory=list)


def validity(values: Fields, role: Role, limits: Limits, now: float) -> Validity:
    """The validity of a certificate that is issued now. Raises BadRequestError."""
    moment = datetime.fromtimestamp(now, UTC)
    found = Validity(_not_before(values, role, moment), moment)
    not_after = role.not_after or values.text("not_after")
    asked = positive(values, "ttl")
    if asked and not_after:
        raise BadRequestError("Either ttl or not_after should be provided. Both should not be provided in the same request.")
    ttl, most = asked or role.ttl or limits.default_ttl, role.max_ttl or limits.max_ttl
    if ttl > most:
        found.warnings.append(
            f'TTL "{go_duration(ttl)}" is longer than permitted maxTTL "{go_duration(most)}", so maxTTL is being used'
        )
        ttl = most
    found.not_after = moment + timedelta(seconds=ttl)
    if not_after:
        found.not_after = _bounded(parse_time(not_after), role, moment + timedelta(seconds=most), most)
    _within_issuer(found, limits)
    if found.not_before > found.not_after:
        raise BadRequestError(
            f"The certificate's Not Before ({shown_time(found.not_before)}) is later than "
            f"the certificate's Not After ({shown_time(found.not_after)})"
        )
    return found


def _not_before(values: Fields, role: Role, moment: datetime) -> datetime:
    usual = moment - timedelta(seconds=role.not_before_duration)
    asked = role.not_before or values.text("not_before")
    if not asked:
        return usual
    if role.not_before_bound == "forbid":
        raise BadRequestError("not_before_bound is set to forbid. not_before cannot be provided.")
    wanted = parse_time(asked)
    if role.not_before_bound == "duration" and wanted < usual:
        raise BadRequestError(
            "not_before_bound is set to duration. Cannot satisfy request as it would result in notBefore of "
            f"{shown_time(wanted)} that is older than the allowed not_before_duration of "
            f"{go_duration(role.not_before_duration)}"
        )
    return wanted


def _bounded(wanted: datetime, role: Role, latest: datetime, most: int) -> datetime:
    bound = role.not_after_bound
    if bound == "forbid":
        raise BadRequestError("not_after_bound is set to forbid. not_after cannot be provided.")
    if bound == "ttl-limited" and wanted > latest:
        raise BadRequestError(
            "not_after_bound is set to ttl-limited. Cannot satisfy request as that would result in notAfter of "
            f"{shown_time(wanted)} that is beyond the TTL of {go_duration(most)}"
        )
    if bound not in {"permit", "ttl-limited"} and wanted > parse_time(bound):
        raise BadRequestError(
            f"not_after_bound is set to an explicit timestamp. Cannot satisfy request as that would result in notAfter of "
            f"{shown_time(wanted)} that is beyond {bound}"
        )
    return wanted


def _within_issuer(found: Validity, limits: Limits) -> None:
    end = limits.issuer_end
    if end is None or found.not_after <= end or limits.behavior == "permit":
        return
    if limits.behavior == "truncate":
        found.not_after = end
        return
    raise BadRequestError(
        f"cannot satisfy request, as TTL would result in notAfter of {shown_time(found.not_after)} "
        f"that is beyond the expiration of the CA certificate at {shown_time(end)}"
    )
