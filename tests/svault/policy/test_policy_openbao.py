"""The same policies in a real OpenBao and in ours: what may be done where, which parameters pass, which texts are refused."""

import random
from importlib import resources

import pytest

from svault.errors import BadRequestError
from svault.logical import Operation
from svault.policy.acl import Acl
from svault.policy.parse import parse_policy
from vaults import BaoServer

NAMES = ["a", "b", "ab", "abc", "+", "+a", "a+"]
CAPABILITIES = ["create", "read", "update", "patch", "delete", "list", "sudo", "deny", "scan"]


def _random_path(chosen: random.Random) -> str:
    path = "/".join(chosen.choice(NAMES) for _ in range(chosen.randint(1, 4)))
    path += chosen.choice(["", "", "/"])
    return path + ("*" if chosen.random() < 0.4 and not path.endswith("+") else "")


def _random_policy(chosen: random.Random) -> str:
    sections = []
    for _ in range(chosen.randint(1, 8)):
        capabilities = chosen.sample(CAPABILITIES, chosen.randint(1, 3))
        if "deny" in capabilities and chosen.random() < 0.7:
            capabilities.remove("deny")
        listed = ", ".join(f'"{name}"' for name in capabilities)
        sections.append(f'path "{_random_path(chosen)}" {{ capabilities = [{listed}] }}')
    return "\n".join(sections)


def _queries(chosen: random.Random) -> list[str]:
    def one() -> str:
        return "/".join(chosen.choice(["a", "b", "ab", "abc", "abcd", "+", "x"]) for _ in range(chosen.randint(1, 5)))

    return sorted({one() + chosen.choice(["", "", "/"]) for _ in range(60)})


def _token(openbao: BaoServer, names: list[str]) -> str:
    answer = openbao.call("POST", "auth/token/create", {"policies": names, "no_default_policy": True})
    assert answer.status == 200, answer.body
    return str((answer.body or {})["auth"]["client_token"])


def _write(openbao: BaoServer, name: str, text: str) -> int:
    return openbao.call("PUT", f"sys/policies/acl/{name}", {"policy": text}).status


@pytest.mark.parametrize("seed", range(40))
def test_overlapping_rules_give_the_capabilities_that_openbao_gives(openbao: BaoServer, seed: int):
    chosen = random.Random(seed)
    texts = {f"p{seed}-{number}": _random_policy(chosen) for number in range(chosen.randint(1, 3))}
    for name, text in texts.items():
        assert _write(openbao, name, text) == 204, text
    token, queries = _token(openbao, list(texts)), _queries(chosen)
    theirs = openbao.call("POST", "sys/capabilities", {"token": token, "paths": queries}).body
    assert theirs
    acl = Acl([parse_policy(name, text) for name, text in texts.items()])
    assert {path: acl.capabilities(path) for path in queries} == {path: theirs["data"][path] for path in queries}, texts


CONDITIONS = """
path "cubbyhole/denied" {
  capabilities = ["create", "update", "read"]
  denied_parameters = { "Flag" = [true] "list" = [["a", "b"]] "glob" = ["*x*"] "any" = [] "start" = ["a*"] "one" = ["*"] }
}
path "cubbyhole/allowed" {
  capabilities = ["create", "update", "read"]
  allowed_parameters = { "Str" = ["a*"], "flag" = [true], "any" = [], "end" = ["*z"], "exact" = ["v"] }
}
path "cubbyhole/some" { capabilities = ["create", "update"] allowed_parameters = { "k" = ["v"] "*" = [] } }
path "cubbyhole/star" { capabilities = ["create", "update"] allowed_parameters = { "*" = ["z"] } }
path "cubbyhole/none" { capabilities = ["create", "update", "read"] denied_parameters = { "*" = ["z"] } }
path "cubbyhole/both" {
  capabilities = ["create", "update"]
  allowed_parameters = { "*" = [] }
  denied_parameters = { "k" = ["v"] }
}
path "cubbyhole/required" { capabilities = ["create", "update", "read", "delete"] required_parameters = ["Foo", "bar"] }
"""
PARAMETERS = [
    *(("denied", body) for body in ({"flag": True}, {"FLAG": True}, {"flag": False}, {"list": ["a", "b"]}, {"list": ["a"]})),
    *(
        ("denied", body)
        for body in ({"glob": "axb"}, {"Glob": "ab"}, {"glob": ["axb"]}, {"any": 1}, {"start": "ab"}, {"start": "b"})
    ),
    *(("denied", body) for body in ({"one": "*"}, {"one": "x"}, {"free": "x"})),
    *(
        ("allowed", body)
        for body in ({"str": "ab"}, {"STR": "ab"}, {"str": "b"}, {"flag": True}, {"any": {"x": 1}}, {"other": 1})
    ),
    *(("allowed", body) for body in ({"end": "xyz"}, {"end": "zy"}, {"exact": "v"}, {"exact": "w"}, {"str": "a", "exact": "w"})),
    *(("some", body) for body in ({"k": "v"}, {"k": "w"}, {"z": "w"})),
    *(("star", body) for body in ({"q": "z"}, {"q": "y"})),
    *(("none", body) for body in ({"q": "z"}, {"q": "y"})),
    *(("both", body) for body in ({"k": "v"}, {"k": "w"}, {"j": "v"})),
    *(("required", body) for body in ({"foo": 1, "bar": 2}, {"Foo": 1, "bar": 2}, {"foo": 1}, {"b": 1})),
]


def test_parameters_are_allowed_and_refused_as_by_openbao(openbao: BaoServer):
    assert _write(openbao, "conditions", CONDITIONS) == 204
    token = _token(openbao, ["conditions"])
    acl = Acl([parse_policy("conditions", CONDITIONS)])
    theirs = [openbao.call("POST", f"cubbyhole/{path}", body, token=token).status != 403 for path, body in PARAMETERS]
    ours = [acl.decide(Operation.UPDATE, f"cubbyhole/{path}", body).is_allowed for path, body in PARAMETERS]
    assert list(zip(PARAMETERS, ours, strict=True)) == list(zip(PARAMETERS, theirs, strict=True))
    assert True in theirs
    assert False in theirs


TEXTS = [
    'path "a" { policy = "read" }',
    'path a { policy = "write" }',
    'path "a/*" { policy = "zap" }',
    'path "a" { policy = "read", comment = "x" }',
    'path "a" { policy = "read" };',
    'path "a" { policy = "read" } path "a" { policy = "write" }',
    'path "a" { policy = "read" capabilities = ["sudo"] }',
    'path "a" {\n allowed_parameters = { "k" = ["a","b"] "*" = [] } capabilities = ["read"] comment = <<EOT\nhi\nEOT\n}',
    '# c\n// d\n/* e\n */ path "a" { capabilities = ["read",] }',
    'path "a" { allowed_parameters { "a" = ["b"] } }',
    'path "a" { capabilities = ["READ"] }',
    'path "a" { capabilities = [read] }',
    'path "a" { capabilities = "read" }',
    'path "a" { capabilities = ["read" "list"] }',
    'path "a" { capabilities = ["read" }',
    'path "a" { capabilities = ["read"]',
    'path "a" { nonsense = 1 }',
    'path "a" { allowed_parameters = { "a" = "b" } }',
    'path "a" { allowed_parameters = ["a"] }',
    'path "a" { required_parameters = "a" }',
    'path "a" { min_wrapping_ttl = "x" }',
    'path "a" { min_wrapping_ttl = 90 max_wrapping_ttl = "1h" }',
    'path "a" { max_wrapping_ttl = "1s" min_wrapping_ttl = "2h" }',
    'path "a" { expiration = "x" }',
    'path "a" { expiration = "2030-01-01T00:00:00Z" }',
    'path "+*" { policy = "read" }',
    'path "a/+/b*" { policy = "read" }',
    'path "a/{{identity.entity.id}}" { policy = "read" }',
    'path "a/{{identity.entity.id" { policy = "read" }',
    'path "a/}}" { policy = "read" }',
    'path = { "a" = { policy = "read" } }',
    'path "a" = { policy = "read" }',
    "path",
    'path "a',
    'path "a\nb" {}',
    'path "a" {}',
    'path "" { policy = "read" }',
    'path 5 { policy = "read" }',
    "/* unclosed",
    "# only a comment",
    "   ",
    'name = "x"',
    "foo = 1",
    '{"path": {"a": {"capabilities": ["read"]}}}',
    '{"path": [{"a": {"capabilities": ["read"]}}]}',
    '{"path": {"a": {"policy": "read", "bogus": 1}}}',
    '{"path": {"a": {"capabilities": ["zap"]}}}',
    '{"path": []}',
    '{"path": "a"}',
    "[]",
    '"x"',
]


@pytest.mark.parametrize("text", TEXTS)
def test_a_policy_is_taken_or_refused_as_by_openbao(openbao: BaoServer, text: str):
    theirs = _write(openbao, "text", text)
    if theirs == 204:
        parse_policy("text", text)
    else:
        assert theirs == 400
        with pytest.raises(BadRequestError, match=r"^failed to parse policy: "):
            parse_policy("text", text)


@pytest.mark.parametrize("name", ["default", "response-wrapping"])
def test_the_policies_of_every_vault_allow_what_those_of_openbao_allow(openbao: BaoServer, name: str):
    body = openbao.call("GET", f"sys/policies/acl/{name}").body
    assert body
    ours = resources.files("svault.policy").joinpath(f"{name}.hcl").read_text(encoding="utf-8")
    theirs = parse_policy(name, body["data"]["policy"])
    assert {rule.path: rule for rule in parse_policy(name, ours).rules} == {rule.path: rule for rule in theirs.rules}


LISTS = [
    [("cubbyhole/+", "list"), ("cubbyhole/*", "deny")],
    [("cubbyhole/+", "deny"), ("cubbyhole/*", "list")],
    [("cubbyhole/+", "list"), ("cubbyhole/+/", "read")],
    [("cubbyhole/+", "read"), ("cubbyhole/+/", "list")],
    [("cubbyhole/b", "list"), ("cubbyhole/*", "deny")],
    [("cubbyhole/b", "read"), ("cubbyhole/b/", "list")],
    [("cubbyhole/b/", "read"), ("cubbyhole/b", "list")],
    [("cubbyhole/+", "list")],
]


@pytest.mark.parametrize("path", ["cubbyhole/b", "cubbyhole/b/"])
@pytest.mark.parametrize("rules", LISTS)
def test_a_list_is_allowed_as_by_openbao(openbao: BaoServer, rules: list[tuple[str, str]], path: str):
    text = "\n".join(f'path "{rule}" {{ capabilities = ["{capability}"] }}' for rule, capability in rules)
    assert _write(openbao, "lists", text) == 204
    theirs = openbao.call("LIST", path, token=_token(openbao, ["lists"])).status
    assert theirs in {403, 404}
    assert Acl([parse_policy("lists", text)]).decide(Operation.LIST, path).is_allowed == (theirs == 404)
