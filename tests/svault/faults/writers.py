"""Writers that know what they wrote: each keeps the state that was acknowledged and the one that a pending request would make.

A writer is a generator of `(request, state after it)`; what the vault shows later is one of the two.
"""

from collections.abc import Awaitable, Callable, Iterator
from dataclasses import dataclass, field
from typing import Any

from svault.core.call import Answer

Ask = Callable[..., Awaitable[Answer]]
Send = Callable[..., Any]
Step = tuple[str, str, dict[str, Any] | None, dict[str, Any], Any]
"""Method, path, body, further arguments, and the state when it was done."""


@dataclass
class Writer:
    """What one client does, over and over, at a place of its own."""

    name: str
    state: Any = None
    pending: Any = None
    is_pending: bool = False
    number: int = 0
    answer: Any = field(default=None, repr=False)

    def setup(self) -> list[tuple[str, str, dict[str, Any]]]:
        return []

    def steps(self) -> Iterator[Step]:
        raise NotImplementedError

    async def observed(self, ask: Ask) -> Any:
        raise NotImplementedError

    async def check(self, ask: Ask) -> None:
        """What is seen is what was acknowledged, or with the request that was under way; nothing else."""
        seen = await self.observed(ask)
        allowed = [self.state, self.pending] if self.is_pending else [self.state]
        assert seen in allowed, f"{self.name} saw {seen!r}, not one of {allowed!r}"
        self.state, self.is_pending = seen, False


class Secrets(Writer):
    """kv: versions written, deleted, undeleted, destroyed, and the whole secret removed."""

    def steps(self) -> Iterator[Step]:
        path = f"{self.name}/s"
        while True:
            self.number += 1
            version = 1 if self.state is None else self.state[0] + 1
            yield "POST", f"secret/data/{path}", {"data": {"n": self.number, "pad": "x" * 300}}, {}, (version, self.number, "")
            match self.number % 5:
                case 1:
                    yield "DELETE", f"secret/data/{path}", None, {}, (version, None, "deleted")
                case 2:
                    yield "POST", f"secret/destroy/{path}", {"versions": [version]}, {}, (version, None, "destroyed")
                case 3:
                    yield "DELETE", f"secret/metadata/{path}", None, {}, None

    async def observed(self, ask: Ask) -> Any:
        answer = await ask("GET", f"secret/data/{self.name}/s")
        if not (answer.body or {}).get("data"):
            assert answer.status == 404
            return None
        found = answer.body["data"]
        facts = found["metadata"]
        gone = "destroyed" if facts["destroyed"] else "deleted" if facts["deletion_time"] else ""
        return facts["version"], found["data"]["n"] if found["data"] else None, gone


class Trees(Writer):
    """Tokens: a parent, its child and that one's child, which end together."""

    def setup(self) -> list[tuple[str, str, dict[str, Any]]]:
        self.state = ()
        return []

    def steps(self) -> Iterator[Step]:
        if self.state:
            yield "POST", "auth/token/revoke", {"token": self.state[0]}, {}, ()
        while True:
            self.number += 1
            ids = [f"{self.name}-{self.number}-{part}" for part in "abc"]
            for index, one in enumerate(ids):
                body = {"id": one, "policies": ["root"], "ttl": "1h"}
                more = {"token": ids[index - 1]} if index else {}
                yield "POST", "auth/token/create", body, more, tuple(ids[: index + 1])
            yield "POST", "auth/token/revoke", {"token": ids[0]}, {}, ()

    async def observed(self, ask: Ask) -> Any:
        ids = [f"{self.name}-{self.number}-{part}" for part in "abc"]
        answers = [(one, await ask("GET", "auth/token/lookup-self", token=one)) for one in ids]
        return tuple(one for one, answer in answers if answer.status == 200)


class Policies(Writer):
    """Policies written and removed."""

    def steps(self) -> Iterator[Step]:
        while True:
            self.number += 1
            text = f'path "secret/data/{self.number}" {{ capabilities = ["read"] }}'
            yield "POST", f"sys/policies/acl/{self.name}", {"policy": text}, {}, text
            if self.number % 3 == 0:
                yield "DELETE", f"sys/policies/acl/{self.name}", None, {}, None

    async def observed(self, ask: Ask) -> Any:
        answer = await ask("GET", f"sys/policies/acl/{self.name}")
        return answer.body["data"]["policy"] if answer.status == 200 else None


class Mounts(Writer):
    """Engines mounted, written to, moved and removed."""

    def steps(self) -> Iterator[Step]:
        if self.state:
            yield "DELETE", f"sys/mounts/{self.state[0]}", None, {}, None
        while True:
            self.number += 1
            first, second = f"{self.name}-{self.number}", f"{self.name}-{self.number}-moved"
            yield "POST", f"sys/mounts/{first}", {"type": "kv"}, {}, (first, None)
            yield "POST", f"{first}/a", {"n": self.number}, {}, (first, self.number)
            yield "POST", "sys/remount", {"from": first, "to": second}, {}, (second, self.number)
            yield "DELETE", f"sys/mounts/{second}", None, {}, None

    async def observed(self, ask: Ask) -> Any:
        mounts = (await ask("GET", "sys/mounts")).body["data"]
        own = [path.rstrip("/") for path in mounts if path.startswith(f"{self.name}-")]
        assert len(own) <= 1, own
        if not own:
            return None
        answer = await ask("GET", f"{own[0]}/a")
        return own[0], answer.body["data"]["n"] if answer.status == 200 else None


class Keys(Writer):
    """transit: a key that is rotated; what its first version encrypted stays readable."""

    def setup(self) -> list[tuple[str, str, dict[str, Any]]]:
        self.state = 1
        return [("POST", f"transit/keys/{self.name}", {})]

    def steps(self) -> Iterator[Step]:
        while True:
            yield "POST", f"transit/keys/{self.name}/rotate", {}, {}, self.state + 1

    async def observed(self, ask: Ask) -> Any:
        key = (await ask("GET", f"transit/keys/{self.name}")).body["data"]
        assert sorted(map(int, key["keys"])) == list(range(1, key["latest_version"] + 1))
        return key["latest_version"]


class SecretIds(Writer):
    """AppRole: secret ids made and destroyed."""

    def setup(self) -> list[tuple[str, str, dict[str, Any]]]:
        self.state = frozenset()
        return [("POST", f"auth/approle/role/{self.name}", {"token_policies": "default"})]

    def steps(self) -> Iterator[Step]:
        place = f"auth/approle/role/{self.name}"
        while True:
            self.number += 1
            one = f"{self.name}-{self.number}"
            yield "POST", f"{place}/custom-secret-id", {"secret_id": one}, {}, self.state | {one}
            if self.number % 2 == 0:
                yield "POST", f"{place}/secret-id/destroy", {"secret_id": one}, {}, self.state - {one}

    async def observed(self, ask: Ask) -> Any:
        names = [f"{self.name}-{number}" for number in range(1, self.number + 1)]
        place = f"auth/approle/role/{self.name}/secret-id"
        known = {one for one in names if (await ask("POST", f"{place}/lookup", {"secret_id": one})).status == 200}
        listed = (await ask("LIST", place)).body or {}
        assert len(listed.get("data", {}).get("keys", ())) == len(known)
        return frozenset(known)


class Certificates(Writer):
    """pki: certificates issued, every second one revoked."""

    def setup(self) -> list[tuple[str, str, dict[str, Any]]]:
        self.state = (frozenset(), frozenset())
        root = {"common_name": self.name, "key_type": "ec", "ttl": "100h"}
        role = {"allow_any_name": True, "key_type": "ec", "ttl": "1h", "no_store": False}
        return [("POST", "pki/root/generate/internal", root), ("POST", f"pki/roles/{self.name}", role)]

    def steps(self) -> Iterator[Step]:
        while True:
            self.number += 1
            issued, revoked = self.state
            yield "POST", f"pki/issue/{self.name}", {"common_name": f"n{self.number}.example"}, {}, "issued"
            serial = self.answer["data"]["serial_number"]
            self.state = (issued | {serial}, revoked)
            if self.number % 2 == 0:
                yield "POST", "pki/revoke", {"serial_number": serial}, {}, (self.state[0], revoked | {serial})

    async def check(self, ask: Ask) -> None:
        issued, revoked = self.state
        listed = set((await ask("LIST", "pki/certs")).body["data"]["keys"])
        assert issued <= listed
        times = {serial: (await ask("GET", f"pki/cert/{serial}")).body["data"]["revocation_time"] for serial in issued}
        seen = {serial for serial, time in times.items() if time}
        pending = self.pending[1] if self.is_pending and self.pending != "issued" else revoked
        assert seen in (revoked, pending)
        crl = ((await ask("LIST", "pki/certs/revoked")).body or {}).get("data", {}).get("keys", [])
        assert seen == set(crl)
        self.state, self.is_pending = (issued, frozenset(seen)), False


class Wraps(Writer):
    """Answers that are wrapped, and unwrapped once."""

    def setup(self) -> list[tuple[str, str, dict[str, Any]]]:
        self.state = frozenset()
        return []

    def steps(self) -> Iterator[Step]:
        while True:
            self.number += 1
            yield "POST", "sys/wrapping/wrap", {"n": self.number}, {"wrap_ttl": 3600}, "wrapped"
            token = self.answer["wrap_info"]["token"]
            self.state |= {token}
            if self.number % 2 == 0:
                yield "POST", "sys/wrapping/unwrap", {"token": token}, {}, self.state - {token}

    async def check(self, ask: Ask) -> None:
        if self.pending == "wrapped":
            self.is_pending = False
        await super().check(ask)

    async def observed(self, ask: Ask) -> Any:
        known = self.state | (self.pending if self.is_pending else frozenset())
        seen = {one for one in known if (await ask("POST", "sys/wrapping/lookup", {"token": one})).status == 200}
        return frozenset(seen)


class People(Writer):
    """Userpass and identity: users, their groups and entities."""

    def steps(self) -> Iterator[Step]:
        while True:
            self.number += 1
            body = {"metadata": {"n": str(self.number)}, "policies": ["default"]}
            yield "POST", f"identity/entity/name/{self.name}", body, {}, str(self.number)
            if self.number % 4 == 0:
                yield "DELETE", f"identity/entity/name/{self.name}", None, {}, None

    async def observed(self, ask: Ask) -> Any:
        answer = await ask("GET", f"identity/entity/name/{self.name}")
        return answer.body["data"]["metadata"]["n"] if answer.status == 200 else None


class Devices(Writer):
    """Audit devices enabled and disabled."""

    def steps(self) -> Iterator[Step]:
        if self.state:
            yield "DELETE", f"sys/audit/{self.name}", None, {}, None
        while True:
            body = {"type": "file", "options": {"file_path": "discard"}}
            yield "POST", f"sys/audit/{self.name}", body, {}, True
            yield "DELETE", f"sys/audit/{self.name}", None, {}, None

    async def observed(self, ask: Ask) -> Any:
        return f"{self.name}/" in (await ask("GET", "sys/audit")).body["data"] or None


class Renewals(Writer):
    """Leases of tokens: made, renewed, and ended by their lease."""

    def steps(self) -> Iterator[Step]:
        if self.state:
            yield "POST", "auth/token/revoke-self", {}, {"token": self.state[0]}, None
        while True:
            self.number += 1
            one = f"{self.name}-{self.number}"
            yield "POST", "auth/token/create", {"id": one, "policies": ["default"], "ttl": "1h"}, {}, (one, 3600)
            yield "POST", "auth/token/renew", {"token": one, "increment": "5h"}, {}, (one, 18000)
            yield "POST", "auth/token/revoke-self", {}, {"token": one}, None

    async def observed(self, ask: Ask) -> Any:
        one = f"{self.name}-{self.number}"
        answer = await ask("GET", "auth/token/lookup-self", token=one)
        if answer.status != 200:
            return None
        return one, 18000 if answer.body["data"]["ttl"] > 3600 else 3600


KINDS = (Secrets, Trees, Policies, Mounts, Keys, SecretIds, Certificates, Wraps, People, Devices, Renewals)
