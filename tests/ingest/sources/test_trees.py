"""Files among others in the tree of a source: what is no image of it is skipped, counted, and never opened."""

import os
from pathlib import Path

import pytest

from emotion.core.errors import InputError
from emotion.ingest.label_reader import LabelReader
from emotion.ingest.sources.archive_trees import ArchiveTree
from emotion.ingest.sources.content import content_of
from emotion.ingest.sources.file_source import open_archive
from emotion.ingest.sources.locate import find_candidates
from emotion.ingest.sources.trees import FileTree, FolderTree
from tests.makers import encode, make_rows, open_source, write_files, write_tar, write_zip

IMAGE = encode(make_rows()[0][2])
SYSTEM_FILES = ("THUMBS.DB", "train/Desktop.ini", ".DS_Store", "__macosx/happy/._a.png", "happy/@eaDir/a.png")
FILES = {"happy/a.png": IMAGE, "sad/b.png": IMAGE}


def rejected(folder: Path) -> dict[str, str]:
    batches = open_source(folder).batches(content_of)
    return {entry.image: content.reason for batch in batches for entry, content in batch if content.reason}


def test_system_files_are_counted_in_a_folder_and_in_a_zip(tmp_path):
    files = FILES | dict.fromkeys(SYSTEM_FILES, b"x")
    folder = FolderTree(write_files(tmp_path / "folder", files))
    archives = (open_archive(write(tmp_path / "a", files)) for write in (write_zip, write_tar))
    trees: list[FileTree] = [folder, *(ArchiveTree(archive) for archive in archives if archive)]
    assert len(trees) == 3
    for tree in trees:
        listing = tree.list()
        assert listing.names == sorted(FILES)
        assert listing.skipped == {"system files": len(SYSTEM_FILES)}
    assert open_source(tmp_path / "folder").skipped["system files"] == len(SYSTEM_FILES)


def test_links_and_pipes_among_images_are_counted_and_never_opened(tmp_path):
    write_files(tmp_path, FILES)
    (tmp_path / "happy/link.png").symlink_to("a.png")
    (tmp_path / "happy/gone.png").symlink_to("nowhere")
    (tmp_path / "sad/self.png").symlink_to("self.png")
    os.mkfifo(tmp_path / "happy/pipe.png")
    source = open_source(tmp_path)
    assert source.count == 3
    assert source.skipped == {"broken links": 2, "pipes and devices": 1}
    assert rejected(tmp_path) == {}


@pytest.mark.parametrize("file", [None, "fer2013.csv"])
def test_a_pipe_as_the_source_is_refused_at_once(tmp_path, file):
    os.mkfifo(tmp_path / "fer2013.csv")
    with pytest.raises(InputError, match=r"fer2013\.csv.*pipe.*expected a"):
        open_source(tmp_path, file)


def test_an_image_whose_name_is_not_utf8_is_rejected_by_a_name_that_can_be_printed(tmp_path):
    write_files(tmp_path, FILES | {"happy/\udcff\udce9.png": IMAGE})
    reasons = rejected(tmp_path)
    assert list(reasons) == [r"happy/\xff\xe9.png"]
    assert "UTF-8" in reasons[r"happy/\xff\xe9.png"]


@pytest.mark.parametrize("closed", ["happy", "train", "raw"])
def test_a_folder_without_permission_is_named_with_the_way_out(tmp_path, monkeypatch, closed):
    folder = write_files(tmp_path / "raw", {f"train/{name}": image for name, image in FILES.items()})
    monkeypatch.setattr(os, "access", lambda path, mode: not path.rstrip("/").endswith(closed))
    with pytest.raises(InputError, match=rf"{closed} .*chmod"):
        open_source(folder)


def test_a_source_folder_that_the_system_refuses_to_list_is_named(tmp_path, monkeypatch):
    def refuse(self: Path) -> None:
        raise PermissionError(13, "Permission denied", str(self))

    monkeypatch.setattr(Path, "iterdir", refuse)
    with pytest.raises(InputError, match=rf"{tmp_path}.*chmod"):
        open_source(tmp_path)


def test_names_of_many_kinds_are_kept(tmp_path):
    names = ["happy/a\nb.png", "happy/ x .png", "happy/Ä日本.png", "sad/" + "n" * 251 + ".png", r"sad/back\slash.png"]
    write_files(tmp_path, dict.fromkeys(names, IMAGE))
    assert FolderTree(tmp_path).list().names == sorted(names)
    assert rejected(tmp_path) == {}


def test_a_file_as_the_source_folder_is_refused_with_the_params_to_set(tmp_path):
    (tmp_path / "fer2013.csv").write_bytes(b"")
    with pytest.raises(InputError, match=rf"source\.folder to {tmp_path}, and source\.file to fer2013\.csv"):
        open_source(tmp_path / "fer2013.csv")


def test_images_are_not_opened_to_find_the_source(tmp_path, monkeypatch):
    write_files(tmp_path, {"a.png": IMAGE, **FILES})
    monkeypatch.setattr("emotion.ingest.sources.locate.may_be_source", lambda path: pytest.fail(f"{path} was opened"))
    assert find_candidates(tmp_path, LabelReader()) == [tmp_path]
