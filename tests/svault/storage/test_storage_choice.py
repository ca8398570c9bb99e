"""A backend is chosen by its name and made from its options; what cannot be made is refused with what helps."""

import sys
from pathlib import Path

import pytest

from svault.errors import StorageError
from svault.storage import choice
from svault.storage.choice import Backend, make_storage
from svault.storage.filesystem import FilesystemStorage


def test_a_backend_is_made_from_its_options_and_not_opened(tmp_path: Path):
    assert isinstance(make_storage("filesystem", {"path": str(tmp_path / "store")}), FilesystemStorage)
    assert list(tmp_path.iterdir()) == []


def test_an_unknown_backend_is_refused_with_those_that_there_are():
    with pytest.raises(StorageError, match="'floppy'") as refused:
        make_storage("floppy", {})
    assert "filesystem, etcd, postgresql, surrealdb" in refused.value.hint


def test_an_option_that_a_backend_does_not_have_is_named_without_its_value():
    with pytest.raises(StorageError, match="'pasword'") as refused:
        make_storage("filesystem", {"path": "x", "pasword": "canary"})
    assert "canary" not in f"{refused.value!r} {refused.value.as_dict()}"
    assert "path" in refused.value.hint


def test_an_option_that_is_missing_is_named():
    with pytest.raises(StorageError, match="'path'"):
        make_storage("filesystem", {})


def test_a_library_that_is_not_installed_is_named_with_what_installs_it(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    (tmp_path / "a_backend_on_tape.py").write_text("import a_library_that_nobody_has\n")
    monkeypatch.syspath_prepend(tmp_path)
    monkeypatch.setitem(choice.BACKENDS, "tape", Backend("a_backend_on_tape", "TapeStorage", "tape"))
    with pytest.raises(StorageError, match="a_library_that_nobody_has") as refused:
        make_storage("tape", {})
    assert refused.value.hint == "pip install 'stratumops[tape]'"
    assert "a_backend_on_tape" not in sys.modules
