"""Sources in stores give what the same files in a folder give, from as few requests as there are files."""

import pickle
import subprocess
import sys

import numpy as np
import pytest

from emotion.core.errors import InputError
from emotion.core.stores import StoreAddress, _open_system, parse_address, read_store
from emotion.data.images import ImageError
from emotion.ingest.ferplus import read_votes
from emotion.ingest.sources import pieces, store_tree
from emotion.ingest.sources.content import content_of
from emotion.ingest.sources.pieces import at_hand, cut_pieces
from emotion.ingest.sources.source import Place
from emotion.ingest.sources.store_tree import open_store
from emotion.parallel.on_worker import UnreadableOnWorkerError, as_worker
from tests.ingest.sources.test_sources import copy_image
from tests.makers import encode, image_files, make_rows, open_source, write_files

FILES = image_files(make_rows())
IMAGE = encode(make_rows()[0][2])
ADDRESS = StoreAddress("memory", "bucket", "raw")
MANIFEST = b"image,emotion,split\nx/1.png,happy,train\nx/2.png,sad,test\n"
LAYOUTS = {
    "class folders": {f"{name}": content for name, content in FILES.items()},
    "outer folder, system files and texts": {
        **{f"images/{name}": content for name, content in FILES.items()},
        "images/.DS_Store": b"x",
        "__MACOSX/images/._a.png": b"x",
        "images/happy/notes.txt": b"x",
    },
    "broken files": {**FILES, "train/happy/empty.png": b"", "train/happy/cut.png": IMAGE[:40]},
    "manifest": {"labels.csv": MANIFEST, "x/1.png": IMAGE, "x/2.png": IMAGE, "x/3.png": IMAGE},
    "manifests of splits": {
        "train.csv": b"image,emotion\nx/1.png,happy\n",
        "test.csv": b"image,emotion\nx/2.png,sad\n",
        "x/1.png": IMAGE,
        "x/2.png": IMAGE,
    },
}


def put(memory, files, folder=ADDRESS):
    for name, content in files.items():
        memory.pipe_file(f"/{folder.host}/{folder.path}/{name}", content)


def read_all(source):
    found = [row for batch in source.batches(content_of) for row in batch]
    good = [Place(entry.image) for entry, content in found if not content.reason]
    return found, [image.tobytes() for image in source.read_again(good, copy_image)]


@pytest.mark.parametrize("layout", LAYOUTS)
def test_a_store_gives_what_a_folder_gives(layout, memory, tmp_path):
    put(memory, LAYOUTS[layout])
    there, here = open_source(ADDRESS), open_source(write_files(tmp_path / "raw", LAYOUTS[layout]))
    assert read_all(there) == read_all(here)
    assert (there.layout, there.columns, dict(there.skipped)) == (here.layout, here.columns, dict(here.skipped))
    assert there.name.removeprefix("memory://bucket/") == here.name.removeprefix(f"{tmp_path}/")


def test_a_file_or_folder_of_a_store_is_chosen_by_name(memory):
    put(memory, {f"own/{name}": content for name, content in FILES.items()} | LAYOUTS["manifest"])
    assert open_source(ADDRESS, "labels.csv").layout == "manifest"
    chosen = open_source(ADDRESS, "own")
    assert (chosen.layout, chosen.count) == ("class folders", len(FILES))
    with pytest.raises(InputError, match=r"raw/gone .* does not exist"):
        open_source(ADDRESS, "gone")
    with pytest.raises(InputError, match="no manifest"):
        open_source(ADDRESS, "x/1.png")


@pytest.mark.parametrize("name", ["fer2013.tar.gz", "faces.zip", "fer2013.csv"])
def test_an_archive_is_refused_with_the_command_that_brings_it_here(memory, name):
    put(memory, {name: b"x"})
    with pytest.raises(InputError, match=r"`dvc import-url memory://bucket/raw/FILE data/raw/FILE`"):
        open_source(ADDRESS)


def test_an_empty_place_is_refused(memory):
    with pytest.raises(InputError, match=r"memory://bucket/raw .*holds no images, found nothing"):
        open_source(ADDRESS)


def test_votes_beside_images_in_a_store_are_refused(memory):
    put(memory, {**FILES, "fer2013new.csv": b"x"})
    with pytest.raises(InputError, match=r"set labels\.scheme to seven"):
        read_votes(ADDRESS, open_source(ADDRESS))


def test_a_large_file_is_not_read(memory, monkeypatch):
    put(memory, {"happy/a.png": IMAGE, "happy/b.png": IMAGE + bytes(1000), "sad/c.png": IMAGE})
    monkeypatch.setattr(store_tree, "MAX_FILE_BYTES", len(IMAGE) + 1)
    found, _ = read_all(open_source(ADDRESS))
    assert [bool(content.reason) for _, content in found] == [False, True, False]
    assert "larger than" in found[1][1].reason


def test_pieces_hold_few_bytes_and_no_names_of_others(memory, monkeypatch):
    put(memory, {f"happy/{number:03}.png": bytes(1000) for number in range(100)})
    monkeypatch.setattr(pieces, "PIECE_BYTES", 10_000)
    tree = open_store(ADDRESS)
    cut = list(cut_pieces(tree, tree.list().names, 256, lambda name: (name,)))
    assert [len(names) for _, names in cut] == [10] * 10
    assert all(len(pickle.dumps(part)) < 1500 for part, _ in cut)
    loaded = at_hand(cut[3][0])
    assert list(loaded.list().names) == cut[3][1]
    assert loaded.read("happy/030.png") == bytes(1000)


def test_a_file_that_went_is_rejected_here_and_an_error_on_a_worker(memory):
    put(memory, {"happy/a.png": IMAGE})
    tree = open_store(ADDRESS)
    memory.rm_file("/bucket/raw/happy/a.png")
    with pytest.raises(ImageError, match="No such file"):
        tree.read("happy/a.png")
    with as_worker(), pytest.raises(UnreadableOnWorkerError) as error:
        tree.read("happy/a.png")
    assert error.value.path == "memory://bucket/raw/happy/a.png"


AFFECTNET = {
    f"train_set/{kind}/{number}{end}": content
    for number in range(6)
    for kind, end, content in [("images", ".jpg", IMAGE), ("annotations", "_exp.npy", None)]
}


def test_annotations_of_affectnet_are_read_together(memory, tmp_path, monkeypatch):
    for number in range(6):
        np.save(tmp_path / "value.npy", np.array(str(number)))
        AFFECTNET[f"train_set/annotations/{number}_exp.npy"] = (tmp_path / "value.npy").read_bytes()
    put(memory, AFFECTNET)
    calls = []

    def count(address, names):
        calls.append(names)
        return read_store(address, names)

    monkeypatch.setattr(store_tree, "read_store", count)
    source = open_source(ADDRESS)
    assert (source.layout, source.count) == ("AffectNet", 6)
    assert len(calls) == 1


COMPARE_WORKERS = """
from emotion.core.stores import parse_address
from emotion.ingest.sources import tree_source
from emotion.parallel import batches
from tests.ingest.sources.test_store_sources import read_all
from tests.makers import open_source
source = open_source(parse_address("s3://faces/raw"))
results = []
for count in (1, 3):
    batches._count_workers = lambda batches: count
    size = tree_source.TreeSource.batches.__defaults__
    tree_source.TreeSource.batches.__defaults__ = (5,)
    results.append(read_all(source))
assert results[0] == results[1]
assert len(results[0][0]) == 42
"""


@pytest.mark.medium
def test_results_of_s3_do_not_depend_on_the_number_of_processes(s3):
    s3.put("raw", FILES)
    s3.requests.clear()
    subprocess.run([sys.executable, "-c", COMPARE_WORKERS], check=True, timeout=120)
    assert s3.requests == {"GET": 1 + 4 * len(FILES)}


@pytest.mark.medium
def test_a_store_that_goes_away_stops_the_run_and_rejects_no_image(s3, monkeypatch):
    source = open_source(parse_address(s3.put("raw", FILES)))
    monkeypatch.setenv("AWS_ENDPOINT_URL", "http://127.0.0.1:9")
    _open_system.cache_clear()
    with pytest.raises(InputError, match="s3://faces/raw cannot be read: the store does not answer"):
        list(source.batches(content_of))
