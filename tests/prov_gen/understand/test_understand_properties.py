"""What holds for every description: no crash, no word lost, and facts that come back as they went in."""

import itertools
import time
import unicodedata
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from prov_gen.understand import Understanding, understand
from prov_gen.understand.lexicon import lexicon
from prov_gen.understand.mentions import GLUE, find_mentions
from prov_gen.understand.tokens import tokenize
from stratumops.errors import InvalidInputError

# Words that mean something to the reader of descriptions, to be thrown together at random.
WORDS = (Path(__file__).parent / "words.txt").read_text(encoding="utf-8").split()
descriptions = st.one_of(
    st.text(max_size=200),
    st.lists(st.sampled_from(WORDS), min_size=1, max_size=40).map(" ".join),
)


def answer_or_error(text: str, **arguments) -> Understanding | None:
    try:
        return understand(text, **arguments)
    except InvalidInputError as error:
        return None if error.message else pytest.fail("an error without a message")


@settings(max_examples=400, deadline=None)
@given(
    descriptions,
    st.sampled_from([None, "aws", "upcloud", "local"]),
    st.sampled_from([None, "server", "network", "cluster", "database"]),
)
def test_no_text_crashes_and_no_content_word_is_lost(text: str, provider: str | None, resource_type):
    answer = answer_or_error(text, provider=provider, resource_type=resource_type)
    if answer is None:
        return
    normal = unicodedata.normalize("NFC", text)
    spans = [(fact.start, fact.end) for fact in answer.understood] + [(note.start, note.end) for note in answer.unplaced]
    words = lexicon()
    tokens = tokenize(normal, is_whole=words.is_whole, is_word=words.is_word)
    for mention in find_mentions(tokens, words):
        if mention.category in {*GLUE, "punctuation"} or (mention.category == "number" and mention.value == "1"):
            continue
        for token in tokens[mention.start : mention.end]:
            assert any(start <= token.start and token.end <= end for start, end in spans), (token.text, mention)


@settings(max_examples=100, deadline=None)
@given(descriptions)
def test_the_same_words_always_mean_the_same(text: str):
    first, second = answer_or_error(text), answer_or_error(text)
    assert first == second


COUNTS = [("two", "dos", 2), ("7", "7", 7), ("twelve", "doce", 12), ("forty-two", "cuarenta y dos", 42)]
KINDS = [
    ("servers", "servidores", "servers"),
    ("private buckets", "buckets privados", "buckets"),
    ("PostgreSQL databases", "bases de datos PostgreSQL", "databases"),
    ("queues", "colas", "queues"),
    ("encrypted volumes", "volúmenes cifrados", "volumes"),
]
PLACES = [("on AWS", "en AWS", "aws"), ("on Google Cloud", "en Google Cloud", "gcp"), ("on UpCloud", "en UpCloud", "upcloud")]
FORMS = ["{count} {kind} {place}", "I need {count} {kind} {place}, please", "{place}: {count} {kind}"]
SPANISH_FORMS = ["{count} {kind} {place}", "Necesito {count} {kind} {place}, por favor", "{place}: {count} {kind}"]


@pytest.mark.parametrize(("count", "kind", "place"), list(itertools.product(COUNTS, KINDS, PLACES)))
def test_facts_put_into_sentences_come_back(count, kind, place):
    for language, forms in enumerate((FORMS, SPANISH_FORMS)):
        for form in forms:
            text = form.format(count=count[language], kind=kind[language], place=place[language])
            answer = understand(text)
            assert answer.config.provider == place[2], text
            assert len(getattr(answer.config, kind[2])) == count[2], text
            assert answer.unplaced == [], text


@pytest.mark.parametrize(
    ("one", "other"),
    list(
        itertools.combinations(
            ["two web servers", "a Redis cache", "a private bucket", "a 3-node EKS cluster", "a MySQL database"], 2
        )
    ),
)
@pytest.mark.parametrize("joint", [" and ", ", ", " with ", "; ", " plus "])
def test_two_things_joined_are_both_there(one: str, other: str, joint: str):
    fields = {"web": "servers", "Redis": "caches", "bucket": "buckets", "EKS": "clusters", "MySQL": "databases"}
    config = understand(one + joint + other).config
    for text in (one, other):
        field = next(name for word, name in fields.items() if word in text)
        assert len(getattr(config, field)) == (2 if field == "servers" else 1)


@pytest.mark.parametrize(
    "text", ["", "   \n", "make me a sandwich", "ciao, vorrei una pizza", "a" * 10_000_000, "two servers\x00", "\ud800"]
)
def test_what_is_no_description_is_an_error_with_a_hint(text: str):
    with pytest.raises(InvalidInputError) as caught:
        understand(text)
    assert caught.value.hint


@pytest.mark.parametrize("arguments", [{"provider": "ibm"}, {"default_provider": "ibm"}, {"resource_type": "boat"}])
def test_an_unknown_choice_is_an_error_with_a_hint(arguments):
    with pytest.raises(InvalidInputError) as caught:
        understand("a server", **arguments)
    assert caught.value.hint


def test_too_many_of_a_kind_is_an_error():
    with pytest.raises(InvalidInputError, match="too many"):
        understand("999999999 servers")


def test_facts_and_leftovers_point_into_the_description():
    text = "un servidor pequeño con un unicornio en AWS"
    answer = understand(text)
    for item in (*answer.understood, *answer.unplaced):
        assert text[item.start : item.end] == item.phrase
    assert [fact.start for fact in answer.understood] == sorted(fact.start for fact in answer.understood)


def test_a_description_is_understood_within_fifty_milliseconds():
    understand("two web servers")
    started = time.perf_counter()
    for _ in range(20):
        understand("two web servers behind a load balancer, a PostgreSQL 16 database and a private bucket in Frankfurt")
    assert (time.perf_counter() - started) / 20 < 0.05
