"""The redactor: no form of a registered value comes through, and other text does."""

import base64
import html
import json
import logging
import threading
from urllib.parse import quote, quote_plus

import pytest
from hypothesis import given
from hypothesis import strategies as st

from stratumops.redact import REDACTED, RedactingFilter, Redactor

SECRET = 'Tr0ub4dor&3/"ünïcode"+?'
secrets = st.text(st.characters(exclude_categories=["Cs"]), min_size=6, max_size=60).filter(lambda text: REDACTED not in text)
around = st.text(max_size=20)

FORMS = {
    "raw": lambda text: text,
    "hex": lambda text: text.encode().hex(),
    "upper hex": lambda text: text.encode().hex().upper(),
    "url": lambda text: quote(text, safe=""),
    "url with slashes": quote,
    "form": quote_plus,
    "json": json.dumps,
    "json as it is": lambda text: json.dumps(text, ensure_ascii=False),
    "json in json": lambda text: json.dumps(json.dumps(text)),
    "html": html.escape,
    "base64": lambda text: base64.b64encode(text.encode()).decode(),
    "base64 behind a byte": lambda text: base64.b64encode(b"x" + text.encode()).decode(),
    "base64 behind two": lambda text: base64.b64encode(b"xy" + text.encode() + b"z").decode(),
    "urlsafe": lambda text: base64.urlsafe_b64encode(text.encode()).decode().rstrip("="),
    "urlsafe behind a byte": lambda text: base64.urlsafe_b64encode(b"x" + text.encode()).decode().rstrip("="),
}


@pytest.mark.parametrize("form", FORMS)
@given(value=secrets, before=around, behind=around)
def test_no_form_of_a_value_comes_through(form: str, value: str, before: str, behind: str):
    redactor = Redactor()
    assert redactor.register(value)
    shown = FORMS[form](value)
    core = shown.strip('"').rstrip("=")
    told = redactor.text(before + " " + shown + " " + behind)
    assert REDACTED in told
    if core not in before + " " + behind and core not in REDACTED:
        assert core not in told


@given(value=secrets, numbers=st.lists(st.integers(0, 2), min_size=1, max_size=3))
def test_base64_of_a_text_that_holds_a_value_does_not_give_its_bytes_away(value: str, numbers: list[int]):
    redactor = Redactor()
    redactor.register(value)
    for number in numbers:
        whole = base64.b64encode(b"\0" * number + value.encode() + b"\0\0\0").decode()
        left = redactor.text(whole).replace(REDACTED, "!")
        assert len(left.replace("!", "")) <= len(whole) - len(value.encode()) * 8 // 6


@given(texts=st.lists(st.text(max_size=30), max_size=5), values=st.lists(secrets, max_size=5))
def test_only_what_is_to_be_hidden_is_changed(texts: list[str], values: list[str]):
    redactor = Redactor()
    for value in values:
        redactor.register(value)
    text = " ".join(texts)
    if not any(form(value).strip('"').rstrip("=")[:6] in text for value in values for form in FORMS.values()):
        assert redactor.text(text) == text


def test_values_of_every_length_are_found_at_every_place():
    for length in range(6, 40):
        value = "".join(chr(ord("A") + (number * 7) % 26) for number in range(length))
        redactor = Redactor()
        redactor.register(value)
        for place in range(20):
            assert redactor.text("." * place + value + "." * (20 - place)) == "." * place + REDACTED + "." * (20 - place)


def test_many_occurrences_of_many_values_are_all_hidden():
    redactor = Redactor()
    values = [f"value-{number:04}-é" for number in range(500)]
    for value in values:
        redactor.register(value)
    told = redactor.text(",".join(values * 3))
    assert told == ",".join([REDACTED] * 1500)


def test_a_value_too_short_to_look_for_is_told():
    redactor = Redactor()
    assert not redactor.register("12345")
    assert redactor.text("12345") == "12345"
    assert redactor.register("123456")


def test_json_values_are_redacted_everywhere_and_keep_their_shape():
    redactor = Redactor()
    redactor.register(SECRET)
    redactor.register("31415926")
    told = redactor.value(
        {"a": [SECRET, 1, None, True, 2.5], SECRET: {"b": f"x{SECRET}y"}, "n": 31415926, "c": b"plain", "t": ("z",)}
    )
    assert told == {
        "a": [REDACTED, 1, None, True, 2.5],
        REDACTED: {"b": f"x{REDACTED}y"},
        "n": REDACTED,
        "c": "plain",
        "t": ["z"],
    }


def test_lines_of_a_key_file_are_hidden_one_by_one():
    body = [base64.b64encode(bytes([number]) * 48).decode() for number in range(3)]
    redactor = Redactor()
    redactor.register("\n".join(["-----BEGIN SECRET-----", *body, "-----END SECRET-----"]))
    assert redactor.text(f"  {body[1]}  # indented") == f"  {REDACTED}  # indented"
    assert redactor.text("-----BEGIN SECRET-----") == "-----BEGIN SECRET-----"


TOKENS = [
    "hvs.CAESIJ1234567890abcdefghijklmn",
    "hvb.AAAAAQJ1234567890abcdefghijklm",
    "s.lYz1McNd5NngYpSesF4c8ut8",
    "AKIA" + "IOSFODNN7EXAMPLE",
    "gh" + "p_" + "a1" * 18,
    "github" + "_pat_" + "A1" * 20,
    "gl" + "pat-" + "a1B2" * 5,
    "xox" + "b-1234567890-abcdefghij",
    "npm" + "_" + "a1" * 18,
    "AIza" + "a1B2c" * 7,
    "eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiIxMjM0NTY3ODkwIn0.dozjgNryP4J3jVmNHl0w5N_XgL0n3I9PlFUP0THsR8U",
    "AGE-SECRET-KEY-1" + "QP" * 29,
]


@pytest.mark.parametrize("token", TOKENS)
def test_tokens_are_known_by_their_looks(token: str):
    told = Redactor().text(f"before {token}, behind")
    assert token not in told
    assert token[-12:] not in told
    assert told.startswith("before ")
    assert told.endswith(", behind")


@pytest.mark.parametrize("kind", ["", "RSA ", "EC ", "ENCRYPTED ", "OPENSSH "])
def test_private_keys_are_hidden_whole_also_when_they_are_cut_or_quoted(kind: str):
    key = f"-----BEGIN {kind}PRIVATE KEY-----\nMIIEvQIBADANBg\n-----END {kind}PRIVATE KEY-----"
    redactor = Redactor()
    assert redactor.text(f"a {key} b") == f"a {REDACTED} b"
    assert redactor.text(json.dumps([key, "kept"])) == f'["{REDACTED}", "kept"]'
    assert "MIIE" not in redactor.text(key[:-30])


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("postgres://me:canary-27@db:5432/x", f"postgres://me:{REDACTED}@db:5432/x"),
        ("Authorization: Bearer abcdef0123456789abcd", f"Authorization: Bearer {REDACTED}"),
        ('"X-Vault-Token": "abcdef0123456789abcd"', f'"X-Vault-Token": "{REDACTED}"'),
        ("aws_secret_access_key = " + "wJalrXUtnFEMI/K7MDENGbPxRfiCYEXAMPLEKEYa", f"aws_secret_access_key = {REDACTED}"),
    ],
)
def test_secrets_in_addresses_and_headers_are_hidden(text: str, told: str):
    assert Redactor().text(text) == told


@pytest.mark.parametrize(
    "text",
    [
        "vault:secret/app#password",
        "vault:v1:aG1fr6IMtrXeqIpkz+j8gLj7XjaE",
        "https://docs.example/a:b/c@d",
        "hmac-sha256:9e7d40aef103ecb3ca4bd1434cdd50acac102732ddd9669ad72bcb04471ec080",
        "-----BEGIN PUBLIC KEY-----\nMIIB\n-----END PUBLIC KEY-----",
        "task-management and risk-free",
        "9a446ae3-9372-7283-6618-65e90f23fe3d",
    ],
)
def test_what_only_looks_a_little_like_a_secret_is_kept(text: str):
    assert Redactor().text(text) == text


def test_a_value_is_forgotten_after_its_time_and_when_there_are_too_many():
    now = [0.0]
    redactor = Redactor(max_values=2, ttl=10, clock=lambda: now[0])
    redactor.register("first-value")
    now[0] = 5
    redactor.register("second-value")
    redactor.register("first-value")
    now[0] = 14
    assert redactor.text("first-value second-value") == f"{REDACTED} {REDACTED}"
    now[0] = 15
    assert redactor.text("first-value second-value") == "first-value second-value"
    for value in ("value-one", "value-two", "value-three"):
        redactor.register(value)
    assert len(redactor) == 2
    assert redactor.text("value-one value-two value-three") == f"value-one {REDACTED} {REDACTED}"


def test_nothing_is_left_behind_when_everything_is_forgotten():
    now = [0.0]
    redactor = Redactor(ttl=10, clock=lambda: now[0])
    for number in range(50):
        redactor.register(f"value-{number}-é/+")
    now[0] = 11
    redactor.text("x")
    assert len(redactor) == 0
    assert not redactor._counted
    assert not any(index._known for index in redactor._indexes)


def test_a_redactor_says_nothing_of_what_it_knows():
    redactor = Redactor()
    redactor.register(SECRET)
    assert repr(redactor) == "Redactor(1 values)"
    assert SECRET[:6] not in repr(list(redactor._counted))


def test_log_records_are_redacted_with_their_arguments():
    redactor = Redactor()
    redactor.register(SECRET)
    record = logging.LogRecord("x", logging.INFO, "f", 1, "told %s and %d", (SECRET, 7), None)
    record.exc_text = f"ValueError: {SECRET}"
    assert RedactingFilter(redactor).filter(record)
    assert record.getMessage() == f"told {REDACTED} and 7"
    assert record.exc_text == f"ValueError: {REDACTED}"


def test_events_of_structlog_are_redacted_but_for_its_own_members():
    redactor = Redactor()
    redactor.register(SECRET)
    record = object()
    told = redactor.processor(None, "info", {"event": f"a {SECRET}", "n": [SECRET], "_record": record})
    assert told == {"event": f"a {REDACTED}", "n": [REDACTED], "_record": record}


def test_values_may_be_registered_while_others_redact():
    redactor = Redactor(max_values=50)
    failed: list[BaseException] = []

    def register() -> None:
        try:
            for number in range(300):
                redactor.register(f"a-value-{number}")
        except BaseException as error:  # noqa: BLE001 - whatever it is, the test tells it
            failed.append(error)

    workers = [threading.Thread(target=register) for _ in range(3)]
    for worker in workers:
        worker.start()
    text = " ".join(f"a-value-{number}" for number in range(300))
    while any(worker.is_alive() for worker in workers):
        redactor.text(text)
    assert failed == []
    assert len(redactor) == 50
