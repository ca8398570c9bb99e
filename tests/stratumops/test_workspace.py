"""No path leads out of the workspace, nor to a file that the rule denies, however it is written."""

import os
import stat
from pathlib import Path

import pytest
from hypothesis import HealthCheck, example, given
from hypothesis import settings as hypothesis_settings
from hypothesis import strategies as st

from stratumops import workspace as module
from stratumops.errors import ConflictError, InvalidInputError, NotFoundError, PermissionDeniedError, StratumError
from stratumops.workspace import CONFIG_SUFFIXES, Workspace

CANARY = "canary-5b1e"
READABLE = ["main.ncl", "net/vpc.ncl", "data/values.json", "data/more.YAML", "a b/ü.toml", "…/dots.ncl"]
DENIED = [
    ".prov/token.json", ".git/config.toml", ".env", ".env.json", ".hidden.ncl", "net/.secret/x.ncl", "prov.toml", "PROV.TOML",
    "server.key", "key.json", "tls/server.pem", "secrets.yaml", "Secrets.YAML", "my.secret.toml", "credentials.json",
    "aws-credential.toml", "terraform.tfvars.json", "kubeconfig.yaml", "id_rsa.json", "id_rsa.d/x.ncl", "sa-key.json",
    "service-account.json", "node_modules/x.json", "venv/x.toml", "notes.txt", "script.py", "plain", "state.tfstate.json",
    "keys/public.ncl", "my-apikey.json", "api_key.yaml", "ssh-keys.toml", "vault.yaml", "kube-config.yaml", "prod.env.json",
]  # fmt: skip


@pytest.fixture(scope="module")
def world(tmp_path_factory: pytest.TempPathFactory) -> Workspace:
    """A workspace with readable and denied files, links that lead everywhere, and canaries around it."""
    outer = tmp_path_factory.mktemp("world")
    root = outer / "space"
    for name in [*READABLE, *DENIED]:
        (root / name).parent.mkdir(parents=True, exist_ok=True)
        (root / name).write_text(CANARY if name in DENIED else name, encoding="utf-8")
    for name in ("outside.ncl", "space2/main.ncl", "main.ncl"):
        (outer / name).parent.mkdir(parents=True, exist_ok=True)
        (outer / name).write_text(CANARY, encoding="utf-8")
    links = {
        "out.ncl": outer / "outside.ncl", "up": outer, "etc": Path("/etc"), "self.ncl": root / "self.ncl", "here": root,
        "good.ncl": root / "main.ncl", "token.ncl": root / ".prov/token.json", "passwd.json": Path("/etc/passwd"),
        "own": root / ".prov", "absent.ncl": root / "nothing.ncl", "beyond.ncl": outer / "nothing.ncl",
    }  # fmt: skip
    for name, target in links.items():
        (root / name).symlink_to(target)
    os.mkfifo(root / "pipe.ncl")
    (root / "folder.ncl").mkdir()
    return Workspace.at(root)


PIECES = st.sampled_from(
    [
        "..", ".", "", "/", "//", "\\", "..\\", "%2e%2e", "~", "~root", "etc", "passwd", "up", "here", "own", "space", "space2",
        ".prov", ".PROV", ".git", ".env", "net", "main.ncl", "outside.ncl", "out.ncl", "self.ncl", "token.json", "config.toml",
        "passwd.json", "server.key", "secrets.yaml", "pipe.ncl", "folder.ncl", "proc", "self", "root", "environ", "\x00", "\n",
        " ", "\u202e", "\uff0e\uff0e", "\udcff", "x" * 300, *READABLE, *DENIED,
    ]
)  # fmt: skip
PATHS = st.lists(PIECES | st.text(max_size=4), min_size=1, max_size=7).flatmap(
    lambda pieces: st.sampled_from(["/".join(pieces), "/" + "/".join(pieces), "".join(pieces)])
)


@given(PATHS)
@hypothesis_settings(max_examples=400, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@example("up/space/main.ncl")
@example("here/here/here/main.ncl")
@example("etc/../main.ncl")
@example("net/../../space2/main.ncl")
@example("/proc/self/root/etc/passwd")
@example("/proc/self/environ")
@example("\udcff.ncl")
def test_whatever_the_path_only_a_readable_file_of_the_workspace_is_found(world: Workspace, path: str):
    try:
        real = world.resolve(path)
    except StratumError:
        return
    assert real == real.resolve()
    assert real.is_relative_to(world.root)
    assert str(real.relative_to(world.root)) in READABLE
    assert world.read_text(path) == str(real.relative_to(world.root))


@pytest.mark.parametrize("name", READABLE)
def test_a_configuration_file_is_read_by_its_path(world: Workspace, name: str):
    assert world.read_text(name) == name
    assert world.read_text(str(world.root / name)) == name


@pytest.mark.parametrize("name", DENIED)
def test_a_denied_file_is_refused_whether_or_not_it_is_there(world: Workspace, tmp_path: Path, name: str):
    for space in (world, Workspace.at(tmp_path)):
        with pytest.raises(PermissionDeniedError) as caught:
            space.read_text(name)
        assert CANARY not in str(caught.value.as_dict())
        assert caught.value.hint


@pytest.mark.parametrize(
    "path",
    [
        "../outside.ncl",
        "../nothing.ncl",
        "out.ncl",
        "beyond.ncl",
        "up/outside.ncl",
        "../space2/main.ncl",
        "/etc/passwd",
        "passwd.json",
    ],
)
def test_a_path_outside_is_refused_in_the_same_words_whether_or_not_anything_is_there(world: Workspace, path: str):
    with pytest.raises(PermissionDeniedError) as caught:
        world.resolve(path)
    assert caught.value.message == f"{path!r} leads outside the workspace"


def test_a_link_inside_the_workspace_is_followed_to_what_the_rule_allows(world: Workspace):
    assert world.read_text("good.ncl") == "main.ncl"
    with pytest.raises(PermissionDeniedError):
        world.read_text("token.ncl")
    with pytest.raises(PermissionDeniedError):
        world.read_text("own/token.json")


@pytest.mark.parametrize("path", ["", "  ", "\t\n", "main.ncl\x00", "x" * 5000])
def test_what_is_no_path_is_invalid_input_and_not_repeated_in_full(world: Workspace, path: str):
    with pytest.raises(InvalidInputError) as caught:
        world.resolve(path)
    assert len(caught.value.message) < 200


def test_a_file_that_is_not_there_is_not_found(world: Workspace):
    for path in ("nothing.ncl", "net/nothing.ncl", "absent.ncl"):
        with pytest.raises(NotFoundError):
            world.resolve(path)


def test_a_link_in_a_circle_is_an_error_of_ours(world: Workspace):
    with pytest.raises(StratumError):
        world.resolve("self.ncl")


@pytest.mark.parametrize("path", ["pipe.ncl", "folder.ncl"])
def test_a_pipe_and_a_folder_are_no_configuration_and_nobody_waits_for_them(world: Workspace, path: str):
    with pytest.raises(InvalidInputError, match="not a regular file"):
        world.read_text(path)


def test_a_file_that_is_too_large_is_refused_before_it_is_read(tmp_path: Path):
    with (tmp_path / "big.ncl").open("wb") as file:
        file.truncate(module.MAX_FILE_BYTES + 1)
    with pytest.raises(InvalidInputError, match="at most 4,194,304 are read"):
        Workspace.at(tmp_path).read_text("big.ncl")


def test_bytes_that_are_no_text_are_told_with_their_place(tmp_path: Path):
    (tmp_path / "bytes.ncl").write_bytes(b"{ a = \xff }")
    with pytest.raises(InvalidInputError, match="byte 6"):
        Workspace.at(tmp_path).read_text("bytes.ncl")


def test_all_readable_files_are_listed_and_nothing_else(world: Workspace):
    found = [str(path.relative_to(world.root)) for path in world.readable_files()]
    assert sorted(found) == sorted(READABLE)
    assert world.readable_files() == sorted(world.readable_files())


def test_every_listed_file_can_be_resolved_by_its_path(world: Workspace):
    for path in world.readable_files():
        assert world.resolve(str(path.relative_to(world.root))) == path


def test_who_asks_for_all_files_is_told_when_there_are_too_many(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(module, "MAX_FILES", 3)
    for number in range(3):
        (tmp_path / f"{number}.ncl").touch()
    assert len(Workspace.at(tmp_path).all_readable_files()) == 3
    (tmp_path / "more.ncl").touch()
    with pytest.raises(InvalidInputError, match="more than 3"):
        Workspace.at(tmp_path).all_readable_files()


def test_folders_deeper_than_the_limit_are_not_listed(tmp_path: Path):
    deep = tmp_path.joinpath(*["d"] * (module.MAX_DEPTH + 1))
    deep.mkdir(parents=True)
    (deep / "x.ncl").touch()
    (deep.parent / "y.ncl").touch()
    assert [path.name for path in Workspace.at(tmp_path).readable_files()] == ["y.ncl"]


@given(
    st.lists(
        st.text(st.characters(exclude_characters="/\x00", exclude_categories=["Cs"]), min_size=1, max_size=8),
        min_size=1,
        max_size=4,
    )
)
def test_a_readable_path_has_no_hidden_part_and_a_suffix_of_a_configuration(parts: list[str]):
    relative = Path(*parts)
    if Workspace.is_readable(relative):
        assert not any(part.startswith(".") for part in relative.parts)
        assert relative.name.lower().endswith(CONFIG_SUFFIXES)


@given(st.sampled_from([*READABLE, *DENIED]), st.data())
def test_the_case_of_letters_changes_nothing_about_what_is_denied(name: str, data: st.DataObject):
    mixed = "".join(data.draw(st.sampled_from([char.lower(), char.upper()])) for char in name)
    if mixed.lower() == name.lower():
        assert Workspace.is_readable(Path(mixed)) == Workspace.is_readable(Path(name))


def test_a_workspace_is_an_existing_folder_by_its_real_path(tmp_path: Path):
    (tmp_path / "real").mkdir()
    (tmp_path / "link").symlink_to("real")
    (tmp_path / "file").touch()
    assert Workspace.at(tmp_path / "link").root == (tmp_path / "real").resolve()
    with pytest.raises(NotFoundError, match="no such workspace folder"):
        Workspace.at(tmp_path / "absent")
    with pytest.raises(InvalidInputError, match="not a folder"):
        Workspace.at(tmp_path / "file")
    with pytest.raises(NotFoundError):
        Workspace.at("a\x00b")


def test_our_own_folder_is_made_for_its_owner_alone_and_only_when_asked(tmp_path: Path):
    space = Workspace.at(tmp_path)
    assert not space.own.exists()
    assert space.make_own() == space.make_own() == tmp_path.resolve() / ".prov"
    assert stat.S_IMODE(space.own.stat().st_mode) == 0o700


def test_a_listing_ends_at_its_limit_with_the_files_nearest_to_the_root(tmp_path: Path):
    for name in ("a/b/deep.ncl", "a/near.ncl", "root.ncl", "z.ncl"):
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).touch()
    space = Workspace.at(tmp_path)
    assert [path.name for path in space.readable_files(3)] == ["near.ncl", "root.ncl", "z.ncl"]
    assert [path.name for path in space.readable_files(1, space.root / "a" / "b")] == ["deep.ncl"]
    assert [path.name for path in space.readable_files(2, space.root / "a")] == ["deep.ncl", "near.ncl"]
    assert [path.name for path in space.readable_files(1, tmp_path.parent)] == ["root.ncl"], "a folder outside is no start"
    assert len(space.readable_files(first=space.root / "a")) == 4, "nothing is listed twice"


def test_a_listing_looks_at_a_bounded_number_of_entries(tmp_path: Path):
    for number in range(50):
        (tmp_path / f"{number:02}.txt").touch()
    (tmp_path / "main.ncl").touch()
    space = Workspace.at(tmp_path)
    assert space.readable_files(max_visited=50) == []
    assert len(space.readable_files(max_visited=51)) == 1


def test_a_workspace_of_too_many_other_files_cannot_be_listed_whole(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(module, "MAX_VISITED", 3)
    for number in range(4):
        (tmp_path / f"{number}.txt").touch()
    with pytest.raises(InvalidInputError, match="3 entries"):
        Workspace.at(tmp_path).all_readable_files()


def test_the_whole_machine_is_no_workspace():
    with pytest.raises(InvalidInputError) as caught:
        Workspace.at("/")
    assert "--workspace" in caught.value.hint


@pytest.mark.parametrize("part", ["net", "net/main.ncl"])
def test_a_link_that_takes_a_place_after_it_was_checked_is_not_followed(tmp_path: Path, part: str):
    """The two halves of `read_text`, with an exchange between them."""
    space_folder, outside = tmp_path / "space", tmp_path / "outside"
    for folder in (space_folder / "net", outside):
        folder.mkdir(parents=True)
        (folder / "main.ncl").write_text(CANARY)
    space = Workspace.at(space_folder)
    real = space.resolve("net/main.ncl")
    (space_folder / part).rename(tmp_path / "moved")
    (space_folder / part).symlink_to(outside if part == "net" else outside / "main.ncl")
    with pytest.raises(PermissionDeniedError) as caught:
        space._read(real, "net/main.ncl")
    assert CANARY not in str(caught.value.as_dict())


def test_a_pipe_that_takes_the_place_of_a_checked_file_makes_nobody_wait(tmp_path: Path):
    (tmp_path / "main.ncl").write_text("{}")
    space = Workspace.at(tmp_path)
    real = space.resolve("main.ncl")
    real.unlink()
    os.mkfifo(real)
    with pytest.raises(InvalidInputError, match="not a regular file"):
        space._read(real, "main.ncl")


def test_a_file_that_grows_after_it_was_checked_is_refused(tmp_path: Path):
    (tmp_path / "main.ncl").write_text("{}")
    space = Workspace.at(tmp_path)
    real = space.resolve("main.ncl")
    with real.open("wb") as file:
        file.truncate(module.MAX_FILE_BYTES + 1)
    with pytest.raises(InvalidInputError, match="are read"):
        space._read(real, "main.ncl")


def test_a_second_name_of_a_key_is_not_read(tmp_path: Path):
    (tmp_path / "server.key").write_text(CANARY)
    (tmp_path / "main.ncl").hardlink_to(tmp_path / "server.key")
    space = Workspace.at(tmp_path)
    with pytest.raises(PermissionDeniedError, match="hard link"):
        space.read_text("main.ncl")
    assert space.readable_files() == []


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("robot.json", '{"type": "x", "private_key" : "y"}'),
        ("values.yaml", "tls: |\n  -----BEGIN " + "EC PRIVATE KEY-----\n"),
        ("values.toml", "key = '-----BEGIN " + "PRIVATE KEY-----'"),
    ],
)
def test_a_key_under_a_harmless_name_is_not_read(tmp_path: Path, name: str, text: str):
    (tmp_path / name).write_text(text)
    (tmp_path / "main.ncl").write_text("{}")
    space = Workspace.at(tmp_path)
    with pytest.raises(PermissionDeniedError, match="private key"):
        space.resolve(name)
    with pytest.raises(PermissionDeniedError, match="private key"):
        space._read(tmp_path.resolve() / name, name)
    assert [path.name for path in space.readable_files()] == ["main.ncl"]


def test_our_own_folder_that_is_a_file_is_a_conflict_with_a_hint(tmp_path: Path):
    (tmp_path / ".prov").write_text("")
    with pytest.raises(ConflictError) as caught:
        Workspace.at(tmp_path).make_own()
    assert "not a folder" in caught.value.message
    assert caught.value.hint


def test_a_file_of_any_kind_is_read_for_what_no_answer_shows_under_the_same_rules(tmp_path):
    workspace = Workspace.at(tmp_path)
    (tmp_path / "release.tar").write_bytes(b"\xff\x00")
    (tmp_path / ".env").write_text("A=b")
    (tmp_path / "id_rsa").write_text("key")
    assert workspace.read_bytes("release.tar") == b"\xff\x00"
    with pytest.raises(PermissionDeniedError):
        workspace.read_text("release.tar")
    for path in (".env", "id_rsa", "../release.tar", ".prov/x"):
        with pytest.raises(PermissionDeniedError):
            workspace.read_bytes(path)
