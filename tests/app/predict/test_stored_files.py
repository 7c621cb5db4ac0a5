"""`emotion predict` on images in a store gives what it gives for the same files in a folder."""

from pathlib import Path

import pytest

from emotion.app.predict import stored_files
from emotion.app.predict.image_files import collect_files
from emotion.app.predict.stored_files import StoredFile, cut_fetches, fetch
from emotion.core.stores import StoreAddress
from emotion.data.images import ImageError
from tests.app.predict.test_predict import noise, rows_of, save

pytestmark = pytest.mark.medium

NAMES = (
    "b.png",
    "a.JPG",
    "sub/c.png",
    "sub/deeper/d [1].png",
    ".hidden.png",
    ".git/e.png",
    "sub/.f/g.png",
    "notes.txt",
)
SHOWN = ["a.JPG", "b.png", "sub/c.png", "sub/deeper/d [1].png"]


@pytest.fixture
def photos(memory, here, astronaut):
    """The same images in the folder `photos` and at memory://bucket/photos."""
    for number, name in enumerate(NAMES):
        image = astronaut if number % 2 else noise(seed=number)
        path = save(here / "photos" / name.replace(".txt", ".png"), image)
        memory.pipe_file(f"/bucket/photos/{name}", path.read_bytes())
    (here / "photos/notes.png").unlink()
    return memory


@pytest.fixture
def predict(model, run_emotion):
    """Run `emotion predict` in this process; return exit status, standard output and standard error."""
    return lambda *arguments: run_emotion("predict", *arguments, "--model", model)


def stored(files):
    return [file for file in files if isinstance(file, StoredFile)]


def test_a_store_gives_what_a_folder_gives(photos, predict):
    status, out, err = predict("memory://bucket/photos", "--csv")
    there = (status, out.replace("memory://bucket/photos", "photos"), err)
    here = predict("photos", "--csv")
    assert there == here
    assert [row["path"] for row in rows_of(out)] == [f"memory://bucket/photos/{name}" for name in SHOWN]


def test_images_of_a_store_are_annotated_into_a_folder(photos, predict, here):
    predict("memory://bucket/photos", "--annotate", "there")
    predict("photos", "--annotate", "here")
    files = {path.relative_to(here / "here"): path.read_bytes() for path in (here / "here").rglob("*.*")}
    assert files
    assert files == {path.relative_to(here / "there"): path.read_bytes() for path in (here / "there").rglob("*.*")}


def test_files_folders_and_stores_mix_and_come_once(photos):
    names = [
        "photos/b.png",
        "memory://bucket/photos/sub",
        "memory://bucket/photos/sub/c.png",
        "memory://bucket/photos/notes.txt",
    ]
    files = collect_files(names)
    assert [str(file.path) for file in files] == [
        "photos/b.png",
        "memory://bucket/photos/sub/c.png",
        "memory://bucket/photos/sub/deeper/d [1].png",
        "memory://bucket/photos/notes.txt",
    ]
    loaded = fetch(files)
    assert [file.path for file in loaded] == [file.path for file in files]
    assert [file.size for file in stored(loaded)] == [len(file.content) for file in stored(loaded)]
    assert stored(loaded)[0].content == Path("photos/sub/c.png").read_bytes()


def test_an_address_without_an_image_and_a_name_that_leads_out_have_their_problems(photos, predict):
    photos.pipe_file("/bucket/odd/a/../../../x.png", b"x")
    (nothing,) = collect_files(["memory://bucket/other"])
    assert nothing.problem == "there is no image at this address"
    (outward,) = collect_files(["memory://bucket/odd"])
    assert "part .." in str(outward.problem)
    status, out, _ = predict("memory://bucket/odd", "--csv", "--annotate", "boxed")
    assert status == 1
    assert rows_of(out)[0]["status"].startswith("unreadable: its name")


def test_a_file_that_went_and_a_large_one_are_unreadable(photos, predict, monkeypatch):
    files = stored(collect_files(["memory://bucket/photos"]))
    photos.rm_file("/bucket/photos/b.png")
    monkeypatch.setattr("emotion.ingest.sources.store_tree.MAX_FILE_BYTES", files[0].size - 1)
    first, second, third, _ = stored(fetch(files))
    assert "larger than" in str(first.content)
    assert "No such file" in str(second.content)
    assert isinstance(second.content, ImageError)
    assert isinstance(third.content, bytes)


def test_large_files_are_read_a_few_at_a_time(monkeypatch):
    files = [StoredFile(StoreAddress("s3", "b", f"{number}.png"), Path("a"), size=3) for number in range(200)]
    assert [len(chunk) for chunk in cut_fetches(files)] == [64, 64, 64, 8]
    monkeypatch.setattr(stored_files, "FETCHED_BYTES", 10)
    assert [len(chunk) for chunk in cut_fetches(files)] == [4] * 50


@pytest.mark.parametrize("address", ["s3://key:verysecret@bucket/a", "s3://key:very/verysecret@bucket/a"])
def test_an_address_with_a_secret_is_refused_without_it(predict, here, address):
    status, out, err = predict(address, "--csv")
    assert "expected s3://BUCKET/FOLDER without a password" in status
    assert "verysecret" not in f"{status}{out}{err}"
    status, out, err = predict("a.png", "--parquet", address)
    assert "verysecret" not in f"{status}{out}{err}"


def test_s3_gives_one_request_a_file_and_parquet_in_the_bucket(s3, predict, here, astronaut):
    files = {f"{number:02}.png": save(here / f"photos/{number:02}.png", noise(seed=number)) for number in range(40)}
    s3.put("photos", {name: path.read_bytes() for name, path in files.items()})
    s3.requests.clear()
    assert predict("s3://faces/photos", "--csv")[1].replace("s3://faces/", "") == predict("photos", "--csv")[1]
    assert s3.requests == {"GET": 1 + 40}
    predict("s3://faces/photos", "--parquet", "s3://faces/out/table")
    predict("s3://faces/photos", "--parquet", "table")
    assert s3.list("out/table") == ["part-00000.parquet"]
    assert s3.get("out/table/part-00000.parquet") == Path("table/part-00000.parquet").read_bytes()


def test_a_bucket_that_is_not_there_ends_the_command_before_a_line_is_printed(s3, predict, here):
    status, out, _ = predict("s3://gone/photos", "--csv")
    assert (status, out) == (
        "error: s3://gone/photos cannot be read: there is no s3://gone, or nothing of this name in it; correct the "
        "address",
        "",
    )
    status, _, _ = predict("a.png", "--parquet", "s3://gone/out")
    assert "s3://gone/out cannot be read: there is no s3://gone" in status
