"""Passwords in addresses: not shown by `prov config`, and known to the redactor."""

from pathlib import Path

import pytest

from engine_person import Person
from prov_server import compose
from prov_server.engine.addresses import passwords, without_password
from stratumops.redact import Redactor
from stratumops.settings import load
from stratumops.workspace import Workspace

SECRET = "S3cretCanary99"
URLS = [
    f"postgresql://u:{SECRET}@db.example.org/prov",
    f"postgresql://u:{SECRET}@x@db.example.org/prov",
    f"postgresql://u:a/{SECRET}@db.example.org/prov",
    f"postgresql://db.example.org/prov?user=u&password={SECRET}&sslmode=require",
    f"postgresql://db.example.org/prov?sslpassword={SECRET}",
]


@pytest.mark.parametrize("url", URLS)
def test_an_address_is_shown_without_its_password(url: str):
    shown = without_password(url)
    assert SECRET not in shown
    assert "db.example.org/prov" in shown
    assert any(SECRET in one for one in passwords(url))
    assert without_password([url, "x", 1]) == [shown, "x", 1]


def test_what_holds_no_password_is_shown_as_it_is():
    for value in ("postgresql://db/prov", "a@b", 5, None, "https://vault:8200"):
        assert without_password(value) == value
    assert list(passwords("postgresql://u@db/prov")) == []


def test_an_escaped_password_is_known_in_both_forms():
    assert set(passwords("postgresql://u:p%40ssword@db/x")) == {"p%40ssword", "p@ssword"}


def test_the_settings_are_shown_without_passwords(tmp_path: Path):
    person = Person(tmp_path)
    given = {"PROV_ENGINE__STATE_URL": URLS[0], "PROV_ENGINE__WORKFLOWS_URL": URLS[3]}
    for words in (["config", "list"], ["config", "list", "--changed"], ["--json", "config", "list"],
                  ["config", "get", "engine.state_url"], ["--json", "config", "get", "engine.workflows_url"]):  # fmt: skip
        ended = person.prov(*words, **given)
        assert ended.code == 0, ended
        assert SECRET not in ended.out + ended.err, words
        assert "***" in ended.out.replace("\n", ""), words


def test_an_application_knows_the_passwords_of_its_addresses(tmp_path: Path):
    redactor = Redactor()
    settings = load(None, engine={"state_url": URLS[0], "workflows_url": URLS[3].replace(SECRET, "0therS3cret77")})
    compose.build(Workspace.at(tmp_path), settings, redactor=redactor)
    said = redactor.text(f"could not connect with {SECRET} or 0therS3cret77")
    assert SECRET not in said
    assert "0therS3cret77" not in said
