"""What belongs into one template: the resources of one provider and region, their logical ids, tags and texts."""

import ipaddress
import re
from collections.abc import Sequence
from typing import Any

from prov_gen.effective import provider_of, region_of
from prov_gen.export.cloudformation.template import Template, Value, get_att, ref
from prov_gen.export.model import Path
from prov_gen.export.tracking import Ledger, path_of, record_of
from prov_gen.model.infrastructure import InfrastructureConfig
from prov_gen.model.kinds import BY_FIELD

PROVIDER = "aws"
_TAG = re.compile(r"[\w .:/=+@-]+")
_LONGEST_TAG, _MOST_TAGS = 128, 49
_DYNAMIC = "{{resolve:"
"""CloudFormation looks for this in every text and puts a secret in its place; there is no way to escape it."""


class Scope:
    """One template's part of a configuration."""

    def __init__(self, config: InfrastructureConfig, ledger: Ledger) -> None:
        self.config, self.ledger = config, ledger
        self.root: Any = ledger.root
        self.template = Template(f"{config.name} ({config.environment})" if _is_plain(config.environment) else config.name)
        self.region = self._region()
        self._ids: dict[tuple[str, str], str] = {}
        self._common = self._tags_of(config.tags, ())

    def _region(self) -> str:
        if self.config.provider == PROVIDER:
            return region_of(self.config, self.config)
        fields = [field for field, kind in BY_FIELD.items() if kind.is_list]
        for record in (one for field in fields for one in getattr(self.config, field)):
            if getattr(record, "provider", None) == PROVIDER:
                return region_of(record, self.config)
        return region_of(self.config, self.config)

    def here(self, field: str) -> list[Any]:
        """The records of a field that belong into this template, each with a logical id; others are left in the ledger."""
        found = []
        if not getattr(self.config, field):
            return []
        for view in getattr(self.root, field):
            record, where = record_of(view), path_of(view)
            name = str(getattr(record, "name", None) or getattr(record, "domain", ""))
            if provider_of(record, self.config) != PROVIDER:
                self.ledger.leave(where, f"{provider_of(record, self.config)} is no provider that CloudFormation knows")
            elif getattr(record, "region", None) and region_of(record, self.config) != self.region:
                self.ledger.leave(where, f"a template is for one region, here {self.region}")
            elif (field, name) in self._ids:
                self.ledger.leave(where, f"another one is called {name}")
            else:
                self._ids[field, name] = self.template.reserve(name, BY_FIELD[field].name)
                # Where it goes is decided: the stack's own provider and region.
                self.ledger.take((*where, "provider"))
                self.ledger.take((*where, "region"))
                found.append(view)
        return found

    def reserve(self, field: str, name: str) -> str | None:
        """A logical id for what has no kind of its own (subnets, networks, policies); None when the name is taken."""
        if (field, name) in self._ids:
            return None
        self._ids[field, name] = self.template.reserve(name, field)
        return self._ids[field, name]

    def id_of(self, field: str, name: str | None) -> str | None:
        """The logical id of a record; None for one that is not in this template."""
        return self._ids.get((field, name)) if name is not None else None

    def refs(self, field: str, names: Sequence[str], where: Path) -> list[Value]:
        """References to several records; unknown names are left in the ledger."""
        found = []
        for index, name in enumerate(dict.fromkeys(names)):
            if logical_id := self.id_of(field, name):
                found.append(ref(logical_id))
            else:
                self.ledger.leave((*where, index), f"nothing in this template is called {name}")
        return found

    def key_of(self, record: Any) -> Value | None:
        """The ARN of the key that a record names."""
        if record.kms_key is None:
            return None
        logical_id = self.id_of("kms_keys", record.kms_key)
        if logical_id is None:
            self.ledger.leave((*path_of(record), "kms_key"), f"no key in this template is called {record.kms_key}")
            return None
        return get_att(logical_id, "Arn")

    def network(self, cidr: str, where: Path) -> str | None:
        """A network as AWS writes it, without what stands behind its prefix; None, and left in the ledger, when it is none."""
        try:
            return str(ipaddress.ip_network(cidr, strict=False))
        except ValueError:
            self.ledger.leave(where, "no network: it cannot be read")
            return None

    def text(self, text: str | None, where: Path) -> str | None:
        """A free text as a property; None, and left in the ledger, where CloudFormation would put a secret into it."""
        if text is None or _DYNAMIC not in text:
            return text
        self.ledger.leave(where, "CloudFormation would take it for a dynamic reference")
        return None

    def tags(self, record: Any) -> list[dict[str, str]]:
        """A record's tags, the configuration's and `Name`, as AWS lists them."""
        return [{"Key": key, "Value": value} for key, value in self.tag_map(record).items()]

    def tag_map(self, record: Any) -> dict[str, str]:
        """A record's tags, the configuration's and `Name`."""
        name = str(getattr(record, "name", None) or record.domain)
        own = self._tags_of(record.tags, path_of(record)) if "tags" in type(record_of(record)).model_fields else {}
        if getattr(record_of(record), "data_class", None):
            own = {"DataClass": record.data_class} | own
        return dict(list((self._common | own | {"Name": name}).items())[-_MOST_TAGS:])

    def _tags_of(self, tags: dict[str, str], where: Path) -> dict[str, str]:
        self.ledger.take((*where, "tags"))
        good = {}
        for key, value in tags.items():
            if _is_tag(key) and not key.lower().startswith("aws:") and _TAG.fullmatch(value):
                good[key] = value
            else:
                self.ledger.leave((*where, "tags", key), "AWS does not take such a tag")
        return good


def _is_tag(key: str) -> bool:
    return len(key) <= _LONGEST_TAG and bool(_TAG.fullmatch(key)) and key == key.strip()


def _is_plain(text: str) -> bool:
    return text.isascii() and text.isprintable() and _DYNAMIC not in text
