"""A stage whose params or deps change while it runs ends with an error that names them."""

import os
import time
from pathlib import Path

import pytest

from emotion.core import guard
from emotion.core.errors import InputError
from emotion.core.guard import read_entry, run_guarded

PARAMS = """
source: {folder: data/raw, file: null}
labels: {scheme: seven, weights: {happy: 1}}
train: {epochs: 2}
"""
PIPELINE = """
stages:
  toy:
    cmd: python -m stages.toy
    deps: ["${source.folder}", room, stages/toy.py]
    params: [source, labels]
    outs: [out]
"""


@pytest.fixture(params=[0, 4 * 2**20], ids=["by identity", "by content"])
def compared(request, monkeypatch):
    """Both ways to compare files, by the size of a dep up to which content counts."""
    monkeypatch.setattr(guard, "COMPARED_BYTES", request.param)


@pytest.fixture(autouse=True)
def project(tmp_path, monkeypatch):
    """A folder with a stage `toy`, whose code was saved before Python started."""
    monkeypatch.chdir(tmp_path)
    files = {
        "params.yaml": PARAMS,
        "dvc.yaml": PIPELINE,
        ".dvcignore": "__pycache__\n.partial-*\n/data/raw/README.md\n",
        "data/raw/faces.csv": "one",
        "data/raw/train/happy/a.png": "a",
        "data/raw/README.md": "put it here",
        "room/module.py": "x = 1",
        "stages/toy.py": "",
    }
    for name, text in files.items():
        write(name, text)
        os.utime(name, (1, 1))


def write(name: str, text: str) -> None:
    Path(name).parent.mkdir(parents=True, exist_ok=True)
    Path(name).write_text(text, encoding="utf-8")


def replace(name: str, text: str) -> None:
    """Move a file of the same size and times to `name`."""
    times = Path(name).stat()
    write("new", text)
    os.utime("new", ns=(times.st_atime_ns, times.st_mtime_ns))
    Path("new").replace(name)


def error_after(edit) -> str:
    """Return the message with which the stage ends when `edit` is called during its run."""
    with pytest.raises(InputError) as error:
        run_guarded(edit, "toy")
    return str(error.value)


def test_an_unchanged_stage_ends_well(compared):
    run_guarded(lambda: None, "toy")


def test_a_param_is_named_with_both_values_and_the_ways_to_go_on():
    message = error_after(lambda: write("params.yaml", PARAMS.replace("seven", "five")))
    for part in ("labels.scheme", "'seven'", "'five'", "`dvc repro`", "`dvc commit -f toy`"):
        assert part in message
    assert "source" not in message


@pytest.mark.parametrize(
    "old, new, said",
    [
        ("weights: {happy: 1}", "weights: {happy: 2}", "labels.weights.happy was 1 and is now 2"),
        (", file: null", "", "source.file was None and is now 'missing'"),
        ("scheme: seven", "scheme: [happy, sad]", "labels.scheme was 'seven' and is now ['happy', 'sad']"),
        ("labels: {scheme: seven, weights: {happy: 1}}", "", "labels was"),
    ],
)
def test_every_kind_of_edit_of_a_param_is_seen(old, new, said):
    assert said in error_after(lambda: write("params.yaml", PARAMS.replace(old, new)))


def test_a_section_of_another_stage_may_change():
    run_guarded(lambda: write("params.yaml", PARAMS.replace("epochs: 2", "epochs: 3")), "toy")


def test_of_a_section_only_the_named_key_counts():
    write("dvc.yaml", PIPELINE.replace("[source, labels]", "[source, labels.scheme]"))
    run_guarded(lambda: write("params.yaml", PARAMS.replace("happy: 1", "happy: 2")), "toy")
    message = error_after(lambda: write("params.yaml", PARAMS.replace("seven", "five")))
    assert "labels.scheme was 'seven' and is now 'five'" in message


def test_params_that_are_broken_at_the_end_are_an_error():
    assert "params.yaml is not valid YAML" in error_after(lambda: write("params.yaml", "labels: ["))


@pytest.mark.parametrize(
    "edit, said",
    [
        (lambda: write("data/raw/faces.csv", "two"), "data/raw/faces.csv was changed"),
        (lambda: write("data/raw/train/sad/b.png", "b"), "data/raw/train/sad/b.png is new"),
        (lambda: Path("data/raw/train/happy/a.png").unlink(), "data/raw/train/happy/a.png is missing"),
        (lambda: write("room/module.py", "x = 2"), "room/module.py was changed"),
        (lambda: Path("data/raw").rename("data/old"), "data/raw/faces.csv is missing"),
        (lambda: replace("data/raw/faces.csv", "two"), "data/raw/faces.csv was changed"),
    ],
)
def test_a_changed_file_is_named_with_the_way_to_go_on(compared, edit, said):
    message = error_after(edit)
    assert said in message
    assert "`dvc repro`" in message
    assert "dvc commit" not in message, "a stage may have read a part of either file"


@pytest.mark.parametrize("name", ["room/__pycache__/module.pyc", "data/raw/.partial-faces", "data/raw/README.md"])
def test_files_that_dvc_ignores_may_change(compared, name):
    run_guarded(lambda: write(name, "new"), "toy")


def test_equal_files_that_are_saved_again_are_no_change_in_a_small_dep():
    run_guarded(lambda: write("room/module.py", "x = 1"), "toy")


def test_a_large_dep_is_not_read(monkeypatch):
    monkeypatch.setattr(guard, "COMPARED_BYTES", 0)
    assert "data/raw/faces.csv was changed" in error_after(lambda: write("data/raw/faces.csv", "one"))


def test_a_file_behind_a_link_is_seen(compared):
    write("elsewhere.csv", "one")
    Path("data/raw/link.csv").symlink_to(Path("elsewhere.csv").resolve())
    assert "data/raw/link.csv was changed" in error_after(lambda: write("elsewhere.csv", "two"))


def test_a_dep_that_is_a_link_to_a_folder_is_seen(compared):
    Path("data/raw").rename("elsewhere")
    Path("data/raw").symlink_to(Path("elsewhere").resolve())
    assert "data/raw/faces.csv was changed" in error_after(lambda: write("elsewhere/faces.csv", "two"))


def test_links_that_lead_nowhere_and_to_folders_are_left_out(compared):
    Path("data/raw/broken").symlink_to("nowhere")
    Path("data/raw/loop").symlink_to(".")
    run_guarded(lambda: None, "toy")


def test_many_files_are_cut_short():
    def stage():
        for number in range(40):
            write(f"data/raw/{number}.png", "")

    assert "and 28 more files" in error_after(stage)


def test_the_error_of_the_stage_itself_comes_first():
    def stage():
        write("data/raw/faces.csv", "two")
        raise InputError("row 7 has no pixels")

    with pytest.raises(InputError, match="row 7"):
        run_guarded(stage, "toy")


def test_code_that_is_saved_while_python_loads_it_ends_the_stage_before_it_runs():
    write("room/module.py", "x = 2")
    ran = []
    with pytest.raises(InputError, match=r"room/module\.py.*`dvc repro`"):
        run_guarded(lambda: ran.append(1), "toy")
    assert ran == []


def test_code_of_a_later_date_is_no_edit():
    later = time.time() + 3600
    os.utime("room/module.py", (later, later))
    run_guarded(lambda: None, "toy")


def test_dvc_yaml_may_change_meanwhile():
    run_guarded(lambda: write("dvc.yaml", "stages: {}"), "toy")


def test_a_stage_that_dvc_yaml_lacks_is_named():
    with pytest.raises(InputError, match=r"other.*toy.*git checkout dvc\.yaml"):
        read_entry("other", {})


def test_templates_are_resolved():
    assert read_entry("toy", {"source": {"folder": "data/faces"}})[1][0] == "data/faces"


def test_what_is_no_file_is_never_opened(compared):
    os.mkfifo("data/raw/pipe.png")
    Path("data/raw/broken.png").symlink_to("nowhere")
    Path("data/raw/loop.png").symlink_to("loop.png")
    Path("data/raw/null.png").symlink_to("/dev/zero")
    run_guarded(lambda: None, "toy")
    assert "faces.csv was changed" in error_after(lambda: write("data/raw/faces.csv", "two"))
    Path("data/raw/faces.csv").unlink()
    os.mkfifo("data/raw/faces.csv")
    run_guarded(lambda: None, "toy")


def test_a_folder_without_permission_is_named(monkeypatch):
    monkeypatch.setattr(os, "access", lambda path, mode: "happy" not in path)
    with pytest.raises(InputError, match=r"data/raw/train/happy.*chmod"):
        run_guarded(lambda: None, "toy")


# Stores


@pytest.mark.parametrize(
    "name, content, said",
    [
        ("happy/a.png", b"b", "memory://bucket/raw/happy/a.png was changed"),
        ("happy/b.png", b"a", "memory://bucket/raw/happy/b.png is new"),
        ("happy/a.png", None, "memory://bucket/raw/happy/a.png is missing now"),
    ],
)
def test_a_changed_file_of_a_store_is_named(memory, name, content, said):
    write("params.yaml", PARAMS.replace("data/raw", "memory://bucket/raw"))
    memory.pipe_file("/bucket/raw/happy/a.png", b"a")
    run_guarded(lambda: None, "toy")
    path = f"/bucket/raw/{name}"
    error = error_after(lambda: memory.rm_file(path) if content is None else memory.pipe_file(path, content))
    assert said in error
