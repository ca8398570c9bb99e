"""Terraform JSON, in: `import_terraform` reads what our export writes, and says of everything else that it was not carried."""

from dataclasses import dataclass
from typing import Any

from prov_gen.export.import_.compare import compare
from prov_gen.export.import_.expand import expanded
from prov_gen.export.import_.foreign import refuse_other_documents
from prov_gen.export.import_.labels import Resources, main_types, renamed
from prov_gen.export.import_.parse import parse
from prov_gen.export.import_.read import accept, draft, provider_of, without_dangling
from prov_gen.export.model import NotCarried
from prov_gen.export.terraform import assemble
from prov_gen.export.terraform.providers import TARGETS
from prov_gen.export.terraform.rows import find
from prov_gen.model.infrastructure import InfrastructureConfig, dump_stated


@dataclass(frozen=True, slots=True)
class Imported:
    """A configuration, and what of the document is not in it: the path in the document, and why."""

    config: InfrastructureConfig
    not_carried: tuple[NotCarried, ...]


def import_terraform(text: str, name: str) -> Imported:
    """A configuration from the text of a `.tf.json` file. `name` is the file's, for messages.

    Nothing is fetched and no expression is evaluated. Raises InvalidInputError for a text that is too large, HCL, no JSON
    (with line and column), not an object of blocks, or another document (a state, a plan, CloudFormation).
    """
    blocks = parse(text, name)
    refuse_other_documents(blocks, name)
    given, odd = _resources(blocks.get("resource", {}))
    if not given and find(blocks, "locals.provider") is None:
        odd.append(NotCarried(("resource",), "the document describes no resource, so the configuration is empty"))
    single = expanded(given)
    resources, labels = renamed(single.resources)
    first = {**single.first, **{new: single.first.get(old, old) for new, old in labels.items()}}
    provider = provider_of(blocks, resources)
    drafted = draft(blocks, resources, provider)
    config, refused = accept(drafted.value)
    config = without_dangling(drafted.value, config)
    made = assemble(config)[0].as_dict()
    if config.region and config.provider in TARGETS:
        # Providers that are told no region by our export are told one by others', and the configuration has it.
        made.setdefault("provider", {}).setdefault(TARGETS[config.provider].name, {"region": config.region})
    known = {*main_types(), *made.get("resource", {})}
    left = compare({**blocks, "resource": resources}, made, first, drafted.reasons(refused), known)
    # Instances of one resource say the same more than once.
    return Imported(_as_stated(config), tuple(dict.fromkeys((*odd, *single.left, *left))))


def _as_stated(config: InfrastructureConfig) -> InfrastructureConfig:
    """The same configuration, in which nothing counts as stated that is a default anyway."""
    return InfrastructureConfig.model_validate(dump_stated(config))


def _resources(block: Any) -> tuple[Resources, list[NotCarried]]:
    """Bodies by type and label. Some converters write each body as a list of one."""
    resources: Resources = {}
    odd: list[NotCarried] = []
    parts = block if isinstance(block, list) else [block]
    for part in parts:
        for kind, labels in part.items() if isinstance(part, dict) else ():
            for label, body in labels.items() if isinstance(labels, dict) else ():
                single = body[0] if isinstance(body, list) and len(body) == 1 else body
                if not isinstance(single, dict) or label in resources.get(kind, {}):
                    odd.append(NotCarried(("resource", kind, label), "not one object of attributes"))
                else:
                    resources.setdefault(kind, {})[label] = single
            if not isinstance(labels, dict):
                odd.append(NotCarried(("resource", kind), "not an object of labels"))
        if not isinstance(part, dict):
            odd.append(NotCarried(("resource",), "not an object of types"))
    return resources, odd


__all__ = ["Imported", "import_terraform"]
