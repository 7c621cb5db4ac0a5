"""Several videos: each gets its files, what cannot be read is named, and nothing is lost or replaced."""

import re
import shutil
import signal
from pathlib import Path

import pytest

from emotion.app.named_files import NamedFile, is_one_file
from emotion.app.video.many import plan_jobs
from emotion.inference.tracking import FaceTracker
from tests.app.video.tables import file_names, read_rows
from tests.clips import FRAMES, noise_images, read_frames, write_video

SEARCHED = "--detector", "cascade"


@pytest.fixture
def folder(clip, here) -> Path:
    """A folder with a good video, one without a face, a broken one, one below, and files to leave out."""
    clips: Path = here / "clips"
    (clips / "sub").mkdir(parents=True)
    shutil.copy(clip, clips / "b.mp4")
    shutil.copy(clip, clips / "sub/a.MP4")
    write_video(clips / "noise.mp4", noise_images())
    (clips / "broken.mkv").write_bytes(b"no video")
    for name in (".hidden.mp4", "notes.txt"):
        shutil.copy(clip, clips / name)
    return clips


def tree(folder: Path) -> list[str]:
    return sorted(path.relative_to(folder).as_posix() for path in folder.rglob("*") if path.is_file())


@pytest.mark.medium
def test_a_folder_gives_the_files_of_each_video(clip, folder, here, emotion_video):
    status, out, err = emotion_video("clips", "-o", "new", "--csv", "tables", *SEARCHED)
    assert status == 3
    assert tree(here / "new") == ["b-emotions.mp4", "noise-emotions.mp4", "sub/a-emotions.mp4"]
    assert tree(here / "tables") == ["b.csv", "noise.csv", "sub/a.csv"]
    assert [line.partition(":")[0] for line in out.splitlines()] == [
        "clips/b.mp4",
        "clips/noise.mp4",
        "clips/sub/a.MP4",
        "4 videos",
    ]
    assert out.endswith("4 videos: 2 with a face, 0 cut off, 1 without a face, 1 failed\n")
    assert f"{FRAMES} frames (0.4 s), 1 face" in out
    assert re.fullmatch(r"error: clips/broken\.mkv cannot be read.*\n", err)
    assert emotion_video(clip, "--csv", "alone.csv", *SEARCHED)[0] == 0
    assert (here / "alone.csv").read_bytes() == (here / "tables/sub/a.csv").read_bytes()


def test_without_folders_new_videos_come_to_the_working_folder(clip, folder, here, emotion_video):
    assert emotion_video(clip, "clips/sub/a.MP4")[0] == 0
    assert file_names(here) == ["a-emotions.mp4", "clip-emotions.mp4", "clips"]


def test_a_pattern_stands_for_its_matches(folder, here, emotion_video):
    assert emotion_video("clips/**/[ab].*", "--csv", "tables")[0] == 0
    assert file_names(here / "tables") == ["a.csv", "b.csv"]


@pytest.mark.parametrize(
    "names, status, counts",
    [
        (["b.mp4", "sub"], 0, [2, 2, 0, 0, 0]),
        (["b.mp4", "cut.avi"], 3, [2, 1, 1, 0, 0]),
        (["b.mp4", "noise.mp4"], 3, [2, 1, 0, 1, 0]),
        (["b.mp4", "missing.mp4"], 3, [2, 1, 0, 0, 1]),
        (["b.mp4", "empty"], 3, [1, 1, 0, 0, 0, 1]),
        (["noise.mp4", "broken.mkv"], 1, [2, 0, 0, 1, 1]),
        (["*.none"], 1, [0, 0, 0, 0, 0, 1]),
    ],
    ids=["all", "cut off", "no face", "missing", "empty folder", "none", "no video"],
)
def test_the_exit_status_says_whether_all_some_or_none(clip, folder, names, status, counts, emotion_video, monkeypatch):
    monkeypatch.chdir(folder)
    (folder / "empty").mkdir()
    write_video(folder / "long.avi", [frame.image for frame in read_frames(clip)])
    content = (folder / "long.avi").read_bytes()
    (folder / "cut.avi").write_bytes(content[: len(content) // 2])
    ended, out, err = emotion_video(*names, "--csv", "tables", *SEARCHED)
    assert (ended, [int(count) for count in re.findall("[0-9]+", out.splitlines()[-1])]) == (status, counts)
    assert bool(err) == any(name not in ("b.mp4", "sub", "noise.mp4") for name in names)


def test_names_that_are_taken_get_a_number(here):
    files = [NamedFile(Path(name), Path(Path(name).name)) for name in ("x/talk.mp4", "y/talk.mp4", "z/Talk.mov")]
    jobs = plan_jobs(files, Path("new"), Path("tables"))
    stems = "talk", "talk-2", "Talk-3"
    assert [job.video for job in jobs] == [Path(f"new/{stem}-emotions.mp4") for stem in stems]
    assert [job.table for job in jobs] == [Path(f"tables/{stem}.csv") for stem in stems]


@pytest.mark.parametrize(
    "arguments, problem",
    [
        (["-o", "new"], r"new/sub/a-emotions\.mp4 exists.*--overwrite"),
        (["--csv", "clips/b.mp4/tables"], r"clips/b\.mp4 is a file, expected a folder"),
        (["-o", "out.mp4"], r"--output: got out\.mp4, expected the name of a folder"),
        (["--csv", "faces.csv"], r"--csv: got faces\.csv, expected the name of a folder"),
    ],
)
def test_files_are_checked_before_the_first_video_is_read(folder, here, arguments, problem, emotion_video):
    (here / "new/sub").mkdir(parents=True)
    (here / "new/sub/a-emotions.mp4").write_bytes(b"kept")
    before = tree(here)
    status, out, err = emotion_video("clips", *arguments)
    assert re.match(f"error: .*{problem}", status)
    assert (out, err, tree(here)) == ("", "", before)


def test_existing_files_are_replaced_when_asked(folder, here, emotion_video):
    (here / "tables").mkdir()
    (here / "tables/a.csv").write_text("old", encoding="utf-8")
    assert emotion_video("clips/sub", "--csv", "tables", "--overwrite")[0] == 0
    assert len(read_rows(here / "tables/a.csv")) == FRAMES


def test_no_video_to_read_is_replaced(clip, folder, emotion_video, monkeypatch):
    monkeypatch.chdir(folder)
    shutil.copy(clip, folder / "b-emotions.mp4")
    status, _, _ = emotion_video(".", "--overwrite")
    assert re.match(r"error: b-emotions\.mp4 is the file to read", status)
    assert (folder / "b-emotions.mp4").read_bytes() == clip.read_bytes()


def test_new_videos_in_a_folder_that_is_read_are_left_out(folder, here, emotion_video):
    for _ in range(2):
        assert emotion_video("clips/sub", "-o", "clips/sub/new", "--overwrite")[0] == 0
    assert file_names(folder / "sub/new") == ["a-emotions.mp4"]


def test_a_stream_is_read_alone(folder, here, emotion_video):
    status, out, err = emotion_video("clips", "rtsp://me:hidden@127.0.0.1/hidden")
    assert re.fullmatch(r"error: rtsp://127\.0\.0\.1 is a stream, which is read alone; .*", status)
    assert (out, err, file_names(here)) == ("", "", ["clips"])


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_an_interruption_ends_the_command_and_keeps_what_is_there(folder, here, emotion_video, monkeypatch, number):
    calls = 0
    classify = FaceTracker.classify

    def interrupted(*arguments):
        nonlocal calls
        calls += 1
        if calls > FRAMES + 5:
            signal.raise_signal(number)
        return classify(*arguments)

    monkeypatch.setattr(FaceTracker, "classify", interrupted)
    status, out, err = emotion_video("clips/b.mp4", "clips/sub", "--csv", "tables")
    assert status == 130
    assert out.count("\n") == 1
    assert "a.partial.csv has the frames up to here" in err
    assert file_names(here / "tables") == ["a.partial.csv", "b.csv"]
    assert len(read_rows(here / "tables/a.partial.csv")) == 5


def test_one_name_of_a_file_or_stream_is_one_video(here):
    (here / "folder.mp4").mkdir()
    (here / "[1].mp4").touch()
    assert all(is_one_file([name]) for name in ("a.mp4", "[1].mp4", "rtsp://host/1?x=*", "x" * 5000))
    assert not any(is_one_file([name]) for name in ("folder.mp4", "*.mp4", "[2].mp4"))
    assert not is_one_file(["a.mp4", "a.mp4"])
