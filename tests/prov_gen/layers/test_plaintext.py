"""What looks like a secret, and what only sounds like one."""

import pytest

from prov_gen.layers.plaintext import announces, check_plaintext, what_secret
from prov_gen.model.infrastructure import InfrastructureConfig

PRIVATE_KEY = "-----BEGIN RSA PRIVATE KEY-----"
TOKEN = "eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiIxMjM0NTY3ODkwIn0.dozjgNryP4J3jVmNHl0w5N"


@pytest.mark.parametrize(
    ("text", "what"),
    [
        ("env:x\nAWS_KEY=AKIAIOSFODNN7EXAMPLE", "an AWS access key"),
        (f"${{HOME}}\n{PRIVATE_KEY}", "a private key"),
        (f"vault:secret/app#key {TOKEN}", "a JSON Web Token"),
        (f"Authorization: Bearer {TOKEN}", "a JSON Web Token"),
        ("file:/etc/app\npostgres://app:s3cret@db/app", "a password in an address"),
        ("ghp_" + "a1B2" * 9, "a GitHub token"),
    ],
)
def test_a_handle_hides_nothing_that_stands_beside_it(text: str, what: str) -> None:
    assert what_secret("user_data", text) == what


@pytest.mark.parametrize(
    "text",
    [
        "vault:secret/app#password",
        "vault:secret/a%20b?version=3#the@key",
        "${DB_PASSWORD}",
        "$(cat /run/pass)",
        "env:DB_PASSWORD",
        "file:/run/pw",
    ],
)
def test_a_text_that_only_says_where_the_secret_is_is_no_secret(text: str) -> None:
    assert what_secret("db_password", text) == ""


@pytest.mark.parametrize("text", ["vault:secret/app#password and hunter22", "env:A B", "${A}hunter22"])
def test_a_handle_with_more_text_is_no_handle(text: str) -> None:
    assert what_secret("db_password", text) == "the value of db_password"


@pytest.mark.parametrize(
    "key",
    [
        *(
            "password",
            "db_password",
            "dbPassword",
            "DB_PASSWD",
            "dbpassword",
            "api_key",
            "apiKey",
            "API-KEY",
            "AWS_SECRET_ACCESS_KEY",
        ),
        *("auth_token", "client.secret", "contraseña", "clave", "clave_maestra", "private_key", "ldap-pass", "credentials"),
    ],
)
def test_a_key_with_the_word_for_a_secret_announces_one(key: str) -> None:
    assert announces(key)


@pytest.mark.parametrize(
    "key",
    [
        *("keyboard_secretary", "clave_primaria", "secretariat", "compass", "passenger", "tokenizer", "monkey", "public_key"),
        *("password_auth", "secret_rotation_days", "token_ttl", "secret_name", "api_key_id", "passwordFile", "clavel", "bypass"),
    ],
)
def test_a_key_that_only_sounds_like_one_does_not(key: str) -> None:
    assert not announces(key)


@pytest.mark.parametrize(
    "script",
    [
        "export PASSWORD=hunter2hunter2",
        "#!/bin/sh\nDB_PASSWORD='hunter2 hunter2' ./start\n",
        "docker run -e API_KEY=hunter2hunter2 shop",
        "mysql --password=hunter2hunter2",
        "curl 'https://example.com/?user=a&token=hunter2hunter2'",
        "[db]\npassword = hunter2hunter2",
        "#cloud-config\nusers:\n  - name: ana\n    plain_text_passwd: hunter2hunter2\n",
    ],
)
def test_a_script_that_gives_a_secret_to_a_variable_holds_one(script: str) -> None:
    assert what_secret("user_data", script).startswith("the value of ")
    assert "hunter2" not in what_secret("user_data", script)


@pytest.mark.parametrize(
    "script",
    [
        "export PASSWORD=$(cat /run/secrets/db)",
        'export PASSWORD="$DB_PASSWORD"',
        "export PASSWORD=vault:secret/app#key",
        "export PASSWORD=`pass show db`",
        "PASSWORD_FILE=/run/secrets/db",
        "password={{ db_password }}",
        "SELECT * FROM users WHERE password = :password",
        "PASSWORD=",
        "token_ttl=3600",
        "#cloud-config\nssh_pwauth: false\nchpasswd: { expire: false }\nusers:\n  - lock_passwd: true\n",
        "#cloud-config\nusers:\n  - hashed_passwd: $6$rounds=4096$x\n",
        "ask ana for the password: she has it",
    ],
)
def test_a_script_that_only_says_where_the_secret_comes_from_holds_none(script: str) -> None:
    assert what_secret("user_data", script) == ""


@pytest.mark.timeout(20)
def test_texts_made_to_be_slow_are_looked_at_quickly() -> None:
    hostile = ["a." * 2000, "eyJ-" * 1000, "eyJaaaaaaaaaaa.b." * 240, "://" * 1300, "://" + "a" * 4000, "x" * 4000, "sk-a " * 800]
    hostile += ["a=" * 2000, "pages=' " * 500, "a" * 60 + "= " * 1900, "#cloud-config\n" + "a: b\n" * 800, " -" * 2000 + "="]
    settings = {f"k{index}": f"{index:04}-{hostile[index % len(hostile)]}" for index in range(900)}
    config = InfrastructureConfig.model_validate({"taskservs": [{"name": "x", "settings": settings}]})
    assert list(check_plaintext(config)) == []
