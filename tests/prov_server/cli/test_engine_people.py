"""Accounts, approvers and the sandbox: what a person sets up before they plan."""

import json
from collections.abc import Iterator

import pytest

from engine_person import PASSPHRASE, SHOP, Ended, Person, sandboxed, word

pytestmark = pytest.mark.timeout(300)
KEY_ID, KEY = "AKIAIOSFODNN7EXAMPLE", "wJalrXUtnFEMIK7MDENGbPxRfiCYEXAMPLEKEY"


@pytest.fixture(scope="module")
def person(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Person]:
    """A person with a vault."""
    with sandboxed(tmp_path_factory.mktemp("people")) as one:
        assert one.prov("vault", "init", "--keys", "file").code == 0
        yield one


@pytest.fixture(scope="module")
def added(person: Person) -> Ended:
    """They have an account at AWS now, with credentials that they typed."""
    return person.typed(
        ["provider", "add", "aws", "--region", "eu-west-1", "--endpoint", "http://127.0.0.1:9"],
        ("access key id", KEY_ID),
        ("secret access key", KEY),
        ("session token", ""),
        flags=(),
    )


def test_credentials_are_typed_unseen_and_kept_in_the_vault_alone(person: Person, added: Ended):
    assert added.code == 0, added.out
    assert KEY not in added.out
    assert "credentials in secret/providers/aws" in added.out
    kept = (person.workspace / ".prov" / "providers.json").read_text(encoding="utf-8")
    assert "vault:secret/providers/aws#secret_access_key" in kept
    every = [path for path in person.workspace.rglob("*") if path.is_file()]
    assert not [path for path in every if KEY.encode() in path.read_bytes()]


def test_providers_are_listed_with_their_accounts(person: Person, added: Ended):
    listed = person.prov("provider", "list", "--json", flags=()).json["providers"]
    rows = {one["name"]: one for one in listed}
    assert rows["aws"]["account"]
    assert "server" in rows["aws"]["kinds"]
    assert rows["local"]["account"]
    assert not rows["upcloud"]["account"]
    shown = person.prov("provider", "list", flags=(), COLUMNS="40")
    assert shown.code == 0
    assert "upcloud" in shown.out


def test_an_account_that_does_not_answer_is_found_out_by_its_test(person: Person, added: Ended):
    tested = person.prov("provider", "test", "aws", flags=())
    assert tested.code == 1, tested.out + tested.err
    assert KEY not in tested.out + tested.err


def test_an_account_is_not_replaced_by_accident(person: Person, added: Ended):
    for ended in (
        person.typed(["provider", "add", "aws"], flags=()),
        person.typed(["provider", "add", "aws", "--option", "profile=work"], flags=()),
    ):
        assert ended.code == 4
        assert "--force" in ended.out


def test_credentials_are_not_taken_from_a_pipe(person: Person):
    ended = person.prov("provider", "add", "upcloud", flags=(), given="token\n")
    assert ended.code == 2
    assert "typed at a terminal" in ended.err
    assert person.prov("provider", "add", "nowhere", flags=()).code == 2
    option = person.prov("provider", "add", "aws", "--force", "--option", "nonsense=1", flags=())
    assert option.code == 2
    assert "profile" in option.err


def test_an_account_that_is_removed_leaves_its_secrets_and_says_so(person: Person, added: Ended):
    assert person.prov("provider", "remove", "upcloud", flags=()).code == 3
    other = person.workspace.parent / "other"
    other.mkdir()
    words = ["-C", str(other)] if "-C" in person.prov("--help", flags=()).out else ["--workspace", str(other)]
    named = person.prov(*words, "provider", "add", "aws", "--option", "profile=work", flags=())
    assert named.code == 0, named.err
    gone = person.prov(*words, "provider", "remove", "aws", "--json", flags=())
    assert gone.json == {"provider": "aws", "kept_secrets": []}


def test_what_is_missing_for_lxd_is_named_with_how_to_get_it(person: Person):
    tested = person.prov("provider", "test", "local", flags=(), LXD_DIR="/nonexistent")
    assert tested.code in {0, 1}
    if tested.code:
        rows = person.prov("provider", "test", "local", "--json", flags=(), LXD_DIR="/nonexistent").json["checks"]
        assert [one["hint"] for one in rows if one["verdict"] == "failed"]


def test_a_damaged_list_of_accounts_is_named(person: Person):
    other = Person(person.workspace.parent / "damaged")
    assert other.prov("provider", "list").code == 0
    (other.workspace / ".prov" / "providers.json").touch(0o600)
    (other.workspace / ".prov" / "providers.json").write_text("{", encoding="utf-8")
    ended = other.prov("provider", "list")
    assert ended.code == 2
    assert "providers.json is damaged" in ended.err


def test_the_sandbox_starts_says_where_it_is_and_stops(person: Person):
    assert "does not run" in person.prov("sandbox", "status").out
    started = person.prov("sandbox", "start", "--json").json
    assert started["endpoint"].startswith("http://127.0.0.1:")
    assert person.prov("sandbox", "status", "--json").json == started
    assert started["endpoint"] in person.prov("sandbox", "start").out
    assert "running at" in person.prov("sandbox", "status").out
    assert "everything in it is gone" in person.prov("sandbox", "stop").out
    assert person.prov("sandbox", "stop", "--json").json == {"stopped": False}


def test_the_first_approver_vouches_for_the_next_and_takes_the_trust_back(person: Person):
    assert "nobody may approve here yet" in person.prov("approver", "list").out
    person.becomes_approver("ana")
    person.becomes_approver("bea")
    public = person.prov("approver", "show", "bea").out.strip()
    assert person.prov("approver", "show", "carl").code == 3
    assert person.prov("approver", "add", "bea", "nonsense").code == 2
    assert person.prov("approver", "add", "bea", public).code == 6
    said = ("Type ", word), ("passphrase of ana", PASSPHRASE)
    added = person.typed(["approver", "add", "bea", public, "--as", "ana"], *said)
    assert added.code == 0, added.out
    listed = person.prov("approver", "list", "--json").json["approvers"]
    assert [(one["name"], one["mine"]) for one in listed] == [("ana", True), ("bea", True)]
    assert "bea" in person.prov("approver", "list", COLUMNS="40").out
    removed = person.typed(["approver", "remove", "bea", "--as", "ana"], *said)
    assert removed.code == 0, removed.out
    assert [one["name"] for one in person.prov("approver", "list", "--json").json["approvers"]] == ["ana"]
    assert "not trusted here: bea" in person.prov("approver", "list").err
    refused = person.typed(["approve", person.prov("plan", "main.ncl", "--json").json["plan_id"], "--as", "bea"])
    assert refused.code == 6
    assert "its approvers are: ana" in refused.out


def test_remembered_passphrases_are_forgotten_when_asked(person: Person):
    assert person.prov("approver", "forget").out == "forgot 0 remembered keys\n"


def test_approvals_and_refusals_are_in_the_audit_without_passphrases(person: Person):
    plan = person.prov("plan", "main.ncl", "--json").json["plan_id"]
    assert person.typed(["deny", plan], ("Type ", plan[5:9])).code == 0
    said = person.prov("audit", "list", "--json").out
    assert "approval:denied" in said
    assert PASSPHRASE not in said
    assert json.loads(said)
    assert SHOP.splitlines()[1] not in said
