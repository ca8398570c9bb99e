"""Tags as labels: what UpCloud takes, and that nothing is lost on the way."""

from hypothesis import given
from hypothesis import strategies as some
from tests.provisioning.upcloud import recordings
from tests.provisioning.upcloud.fake_store import checked_labels

from provisioning.providers.upcloud.labels import GROUPS, RULES, carries, key_of, labels, labels_of, query, tags_of, user_values
from provisioning.resource import TAG_ADDRESS, TAG_LINEAGE, TAG_PART

TAGS = some.dictionaries(some.text(min_size=1, max_size=60), some.text(min_size=1, max_size=300), max_size=8)
OURS = {TAG_ADDRESS: "server.web", TAG_LINEAGE: "0f0e", TAG_PART: "disk"}


@given(TAGS)
def test_every_tag_becomes_a_label_that_upcloud_takes_and_comes_back(tags):
    tags = {**tags, **OURS}
    made = labels(tags)
    assert len(made) == len(tags)
    assert checked_labels(made) is made
    for row in ({"labels": made}, {"labels": {"label": made}}):
        assert tags_of(row, tags) == tags
        assert carries(row, tags)


@given(TAGS)
def test_labels_that_are_no_tags_stay_apart_from_them(tags):
    tags.pop(GROUPS, None)
    row = {"labels": labels(tags, {GROUPS: "one,two", RULES: "three"})}
    assert tags_of(row, tags) == tags
    assert labels_of(row)[GROUPS] == "one,two"


def test_a_tag_that_is_spelled_like_a_label_of_ours_is_another_one():
    assert key_of("prov-id") != key_of(TAG_ADDRESS)
    assert key_of(TAG_ADDRESS) == "prov-id"
    assert tags_of({"labels": labels({"prov-id": "mine"})}, {"prov-id": "mine"}) == {"prov-id": "mine"}


def test_labels_of_upcloud_s_own_are_no_tags():
    row = recordings.answer("createstoprelocateserver", "POST", "/server")["server"]["storage_devices"]["storage_device"][0]
    assert labels_of(row)["_os_type"] == "debian"
    assert tags_of(row, {}) == {}


def test_both_forms_of_recorded_labels_are_read():
    server = recordings.answer("getserverswithfilters", "GET", "/server/?")["servers"]["server"][0]
    router = recordings.answer("routerlabelsandfilters", "GET", "/router?")["routers"]["router"][0]
    assert labels_of(server)["managedBy"] == "upcloud-sdk-integration-test"
    assert labels_of(router) == {"color": "red"}
    assert labels_of({"labels": None}) == labels_of({}) == {}


def test_a_list_is_asked_for_as_it_was_recorded():
    assert query({TAG_LINEAGE: "0f", TAG_ADDRESS: "server.web"}) == [
        ("label", "prov-id=server.web"),
        ("label", "prov-lineage=0f"),
    ]


def test_a_tag_that_is_not_there_is_none_and_one_too_many_is_told():
    assert user_values({"Team": "web", TAG_ADDRESS: "x"}, ["Owner"]) == {"tags.Owner": None, "tags.Team": "web"}
