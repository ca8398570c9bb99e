"""A CloudFormation template while it is put together: resources, parameters, outputs, and the references between them.

Source: AWS CloudFormation User Guide, "Template anatomy".
"""

import re
from collections.abc import Iterator, Mapping
from typing import Any, Literal

Value = Any
"""A property's value: JSON, or an intrinsic function."""

Keep = Literal["Delete", "Retain", "Snapshot"]
_LONGEST_ID = 200


class Template:
    """Logical ids are the words of a name in camel case, numbered where two names come out the same."""

    def __init__(self, description: str) -> None:
        self._description = description
        self._ids: set[str] = set()
        self._by_key: dict[tuple[str, str], str] = {}
        self.resources: dict[str, dict[str, Value]] = {}
        self._parameters: dict[str, dict[str, Value]] = {}
        self._outputs: dict[str, dict[str, Value]] = {}

    def reserve(self, *words: str) -> str:
        """A logical id that nothing else has."""
        parts = re.findall(r"[A-Za-z0-9]+", " ".join(words))
        wanted = "".join(part[0].upper() + part[1:] for part in parts)[:_LONGEST_ID]
        number, free = 1, wanted
        while free in self._ids:
            number += 1
            free = f"{wanted}X{number}"
        self._ids.add(free)
        return free

    def add(
        self,
        kind: str,
        properties: Mapping[str, Value],
        *words: str,
        logical_id: str = "",
        keep: Keep = "Delete",
        after: str | list[str] | None = None,
    ) -> str:
        """Add a resource and answer its logical id. Properties that are None are left out; `keep` is what deletion leaves."""
        logical_id = logical_id or self.reserve(*words)
        made: dict[str, Value] = {"Type": f"AWS::{kind}"}
        if after:
            made["DependsOn"] = after
        if keep != "Delete":
            made |= {"DeletionPolicy": keep, "UpdateReplacePolicy": keep}
        stated = {name: value for name, value in properties.items() if value is not None}
        self.resources[logical_id] = made | ({"Properties": stated} if stated else {})
        return logical_id

    def parameter(self, key: tuple[str, str], kind: str, description: str, default: str | None = None) -> Value:
        """A reference to the parameter that stands for something outside; one for each key."""
        if key not in self._by_key:
            self._by_key[key] = self.reserve(*key)
            made = {"Type": kind, "Description": description, "Default": default}
            self._parameters[self._by_key[key]] = {name: value for name, value in made.items() if value is not None}
        return ref(self._by_key[key])

    def output(self, logical_id: str, what: str, value: Value, description: str) -> None:
        """Tell a value after deployment."""
        self._outputs[self.reserve(logical_id, what)] = {"Description": description, "Value": value}

    def document(self) -> dict[str, Value]:
        """The template as JSON. A parameter that no resource asks for in the end is not in it."""
        asked = set(_references(self.resources))
        parameters = {name: one for name, one in self._parameters.items() if name in asked}
        whole = {
            "AWSTemplateFormatVersion": "2010-09-09",
            "Description": self._description,
            "Parameters": dict(sorted(parameters.items())),
            "Resources": self.resources,
            "Outputs": dict(sorted(self._outputs.items())),
        }
        return {name: part for name, part in whole.items() if part}


def _references(value: Value) -> Iterator[str]:
    """Every name that a `Ref` in a value holds."""
    if isinstance(value, dict):
        if isinstance(value.get("Ref"), str):
            yield value["Ref"]
        for inner in value.values():
            yield from _references(inner)
    elif isinstance(value, list):
        for inner in value:
            yield from _references(inner)


def ref(logical_id: str) -> Value:
    """A resource's own name or id, or a parameter's value."""
    return {"Ref": logical_id}


def get_att(logical_id: str, attribute: str) -> Value:
    """One attribute of a resource."""
    return {"Fn::GetAtt": [logical_id, attribute]}


def sub(text: str) -> Value:
    """A text of ours with pseudo parameters such as ${AWS::Region}; never a text from a configuration."""
    return {"Fn::Sub": text}


def policy(*statements: Mapping[str, Value]) -> Value:
    """A policy document."""
    return {"Version": "2012-10-17", "Statement": list(statements)}


def assumed_by(service: str) -> Value:
    """The policy by which a service may take a role."""
    return policy({"Effect": "Allow", "Principal": {"Service": service}, "Action": "sts:AssumeRole"})
