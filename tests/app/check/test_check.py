"""`emotion check`: it says what would be read, names what would stop DVC or the pipeline, and ends with its status."""

import json
import os
import socket
import subprocess
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from emotion.app.check.plan import make_plan
from emotion.core.labels import resolve_scheme
from emotion.core.params import SECTIONS, load_params
from emotion.ingest.sources.layouts.layout import Layout
from emotion.ingest.sources.source import Entry
from emotion.ingest.sources.tree_source import TreeSource
from emotion.ingest.sources.trees import FolderTree, Listing, escape
from tests.ingest.decisions import write_lines
from tests.makers import (
    ROOT,
    csv_line,
    csv_text,
    encode,
    image_files,
    make_rows,
    write_files,
    write_params,
    write_tar,
    write_zip,
)

ROWS = make_rows()
FILES = image_files(ROWS)
IMAGE = encode(ROWS[0][2])
RAW = Path("data/raw")
CLASSES = {f"{emotion}/{number}.png": IMAGE for emotion in ("happy", "sad") for number in range(3)}


@pytest.fixture
def project(here):
    """A project whose source folder data/raw is empty."""
    RAW.mkdir(parents=True)
    write_params(here, plot_share_images=False)
    return here


@pytest.fixture
def check(project, run_emotion):
    """Run the command with `files` in the source folder and changed params; return its status, output and errors."""

    def run(files, *options, **params):
        write_files(RAW, files)
        if params:
            write_params(project, plot_share_images=False, **params)
        status, out, err = run_emotion("check", *options)
        return (1 if isinstance(status, str) else status), out, f"{err}{status if isinstance(status, str) else ''}"

    return run


def test_decisions_that_are_not_there_or_are_none_are_faults(check):
    wanted = {"labels_scheme": ["happy", "sad"], "labels_decisions": "mine.csv"}
    status, _, err = check(CLASSES, **wanted)
    assert status == 1
    assert "labels.decisions: got mine.csv" in err
    write_lines(f"{'a' * 32},sad,keep,,", name="mine.csv")
    status, _, err = check(CLASSES, **wanted)
    assert status == 1
    assert "'keep' as decision" in err
    write_lines(f"{'a' * 32},sad,drop,,", name="mine.csv")
    assert check(CLASSES, **wanted)[0] == 0


@pytest.fixture
def report(check):
    """Return the report as JSON, and the status."""

    def run(files, **params):
        status, out, err = check(files, "--json", **params)
        found = json.loads(out)
        assert (status, bool(found["faults"])) in ((0, False), (1, True)), err
        return found

    return run


def test_class_folders_are_described(check):
    files = FILES | {"train/THUMBS.DB": b"x", "train/happy/@eaDir/a.png": IMAGE, "notes.txt": b"hello"}
    status, out, err = check(files)
    assert (status, err) == (0, "")
    lines = [line.split() for line in out.splitlines()]
    for expected in (
        ["images", str(len(FILES))],
        ["splits", "14", "train,", "14", "val,", "14", "test"],
        ["reader", "class", "folders"],
        ["happy", "happy", "6"],
        ["groups", "none"],
    ):
        assert expected in [line[: len(expected)] for line in lines], out
    assert "system files" in out


def test_quiet_prints_nothing_where_all_is_well(check):
    assert check(FILES, "--quiet") == (0, "", "")


def test_nothing_is_changed(check, project):
    write_files(RAW, FILES)

    def files():
        return sorted((path, path.stat().st_mtime_ns) for path in project.rglob("*"))

    before = files()
    check({}, "--quiet")
    assert files() == before


@pytest.mark.parametrize("write", [write_zip, write_tar], ids=["zip", "tar"])
def test_archives_of_images_are_counted(report, write):
    write(RAW / f"archive{'.zip' if write is write_zip else '.tar.gz'}", FILES | {"__MACOSX/._a.png": b"x"})
    found = report({})
    assert found["source"]["images"] == found["source"]["seen"] == len(FILES)
    assert found["source"]["skipped"] == {"system files": 1}
    assert found["files"]["archives"]["files"] == 1


def test_of_a_table_the_first_rows_are_read(check, report):
    text = csv_text(make_rows(per_class=40))
    found = report({"fer2013.csv": text.encode()})["source"]
    assert (found["images"], found["seen"]) == (None, 256)
    assert found["labels"]["3"] == {"emotion": "happy", "in_scheme": True, "images": 40}
    status, out, _ = check({})
    assert status == 0
    assert "first 256 rows" in out


def test_bad_first_rows_of_a_table_warn_and_are_a_fault_where_all_are_bad(check):
    lines = csv_text(ROWS).splitlines()
    status, _, err = check({"fer2013.csv": "\n".join([*lines, csv_line(3, "1 2 x")]).encode()})
    assert status == 0
    assert "warning: " in err
    assert f"1 of {len(ROWS) + 1} images" in err
    bad = [csv_line("hapy", "1 2 3 4")] * 3
    status, _, err = check({"fer2013.csv": "\n".join([lines[0], *bad]).encode()})
    assert status == 1
    assert "hapy" in err
    assert "happy" in err


def test_labels_that_the_scheme_leaves_out_are_shown(check):
    files = CLASSES | {"Contempt/a.png": IMAGE, "Ahegao/b.png": IMAGE}
    status, out, _ = check(files, labels_scheme=["happy", "sad"])
    assert status == 0
    left_out = [line.split()[:3] for line in out.splitlines() if "left out" in line]
    assert sorted(left_out) == [["Ahegao", "ahegao", "1"], ["Contempt", "contempt", "1"]]


def test_a_class_without_images_is_a_fault_with_a_scheme_that_works(check):
    status, _, err = check(CLASSES, labels_scheme=["happy", "sad", "angry"])
    assert status == 1
    assert "labels.scheme" in err
    assert "angry" in err
    assert "[happy, sad]" in err
    assert check({}, labels_scheme=["happy", "sad"])[0] == 0


@pytest.mark.parametrize(
    "split, said",
    [
        ("val", "val becomes the test split; validation is taken from training, by split.validation"),
        ("test", "        validation is taken from training, by split.validation"),
    ],
)
def test_a_lone_split_besides_training_is_the_test_split(check, split, said):
    files = {f"{part}/{emotion}/1.png": IMAGE for part in ("train", split) for emotion in ("happy", "sad")}
    status, out, _ = check(files, labels_scheme=["happy", "sad"])
    assert status == 0
    assert said in out
    files = {f"{part}/{emotion}/1.png": IMAGE for part in ("val", "test") for emotion in ("happy", "sad")}
    assert "taken from training" not in check(files, labels_scheme=["happy", "sad"])[1]


def test_groups_are_counted_and_names_of_sequences_warn(check, report):
    files = {
        f"{emotion}/S{person}_{n:03}.png": IMAGE for emotion in ("happy", "sad") for person in "123" for n in range(3)
    }
    status, _, err = check(files, labels_scheme=["happy", "sad"])
    assert status == 0
    assert "split.group" in err
    pattern = {"pattern": r"(S\d)_"}
    found = report({}, labels_scheme=["happy", "sad"], split_group=pattern)
    assert found["source"]["groups"] == 3
    assert found["source"]["grouped_by"] == r"split.group: {pattern: '(S\d)_'}"
    assert found["warnings"] == []
    found = report({}, labels_scheme=["happy", "sad"], split_group={"column": "person"})
    assert "'person'" in found["faults"][0]["message"]


def test_groups_of_a_known_data_set_are_counted(check):
    names = [f"{person}{emotion}S.JPG" for person in ("AF01", "AM02") for emotion in ("HA", "SA")]
    status, out, _ = check(dict.fromkeys(names, IMAGE), labels_scheme=["happy", "sad"])
    assert status == 0
    assert "KDEF" in out
    assert "2 persons or sequences, from the layout" in out


@pytest.mark.parametrize("name", ["labels.csv", "labels.parquet"])
def test_a_manifest_brings_groups_and_further_columns(report, name):
    files = {f"images/{number}.png": IMAGE for number in range(6)}
    rows = [(image, ("happy", "sad")[n % 2], "train", f"p{n // 3}", str(20 + n)) for n, image in enumerate(files)]
    table = pd.DataFrame(rows, columns=["image", "emotion", "split", "group", "age"])
    if name.endswith("csv"):
        table.to_csv(RAW / name, index=False)
    else:
        table.to_parquet(RAW / name)
    found = report(files | {"images/new.png": IMAGE}, labels_scheme=["happy", "sad"])["source"]
    assert (found["layout"], found["images"]) == ("manifest", len(files))
    assert (found["groups"], found["grouped_by"], found["columns"]) == (2, "the layout", ["age"])
    assert found["splits"] == {"train": len(files)}
    assert sum(found["skipped"].values()) >= 1


def test_whole_photos_that_would_be_squeezed_warn(check):
    photo = encode(np.random.default_rng(0).integers(0, 256, (200, 200), dtype=np.uint8))
    files = {f"{emotion}/{n}.png": photo for emotion in ("happy", "sad") for n in range(2)}
    status, _, err = check(files, labels_scheme=["happy", "sad"])
    assert status == 0
    assert "features.faces: auto" in err
    assert "features.faces" not in check({}, labels_scheme=["happy", "sad"], features_faces="auto")[2]


def add_pipe(path):
    os.mkfifo(path)


def add_socket(path):
    with socket.socket(socket.AF_UNIX) as server:
        server.bind(str(path))


def add_device(path):
    path.symlink_to("/dev/zero")


def add_broken_link(path):
    path.symlink_to("nowhere")


def add_loop(path):
    path.symlink_to(path.name)


@pytest.mark.parametrize(
    "add, said",
    [
        (add_pipe, "pipes"),
        (add_socket, "sockets"),
        (add_device, "devices"),
        (add_broken_link, "broken links"),
        (add_loop, "broken links"),
        (lambda path: path.symlink_to(".."), "links to folders"),
        (lambda path: path.write_bytes(IMAGE) and path.rename(path.parent / ".dvcignore"), "the root"),
    ],
    ids=["pipe", "socket", "device", "broken link", "loop", "folder link", ".dvcignore"],
)
def test_what_makes_dvc_fail_is_named_with_the_way_out(check, add, said):
    write_files(RAW, CLASSES)
    add(RAW / "happy/odd.png")
    status, _, err = check({}, labels_scheme=["happy", "sad"])
    assert status == 1
    assert said in err
    assert "data/raw/happy/" in err
    assert "way out" in err


@pytest.mark.parametrize("file", [None, "fer2013.csv"])
def test_a_pipe_as_the_source_is_named_at_once(check, file):
    os.mkfifo(RAW / "fer2013.csv")
    status, _, err = check({}, source_file=file)
    assert status == 1
    assert "data/raw/fer2013.csv" in err
    assert "pipe" in err


def test_names_that_are_not_utf8_are_escaped_and_at_most_a_dozen_are_shown(check):
    files = CLASSES | {f"sad/\udcff{number}.png": IMAGE for number in range(15)}
    status, _, err = check(files, labels_scheme=["happy", "sad"])
    assert status == 1
    assert err.count(r"data/raw/sad/\xff") == 12
    assert "and 3 more" in err
    assert "surrogates not allowed" in err
    assert "convmv" in err
    assert "rejected_share" not in err


@pytest.mark.parametrize("name", ["a.\udcff", "\udcff.zip"])
@pytest.mark.parametrize("options", [[], ["--json"], ["--quiet"]])
def test_a_name_that_is_not_utf8_can_be_printed_wherever_it_stands(check, name, options):
    write_zip(RAW / name, CLASSES)
    status, _, err = check({}, *options, labels_scheme=["happy", "sad"])
    assert status == 1
    assert escape(f"data/raw/{name}") in err


def test_what_dvcignore_names_is_no_fault(check):
    write_files(RAW, CLASSES)
    add_broken_link(RAW / "happy/gone.png")
    Path(".dvcignore").write_text("gone.png\n", encoding="utf-8")
    assert check({}, "--quiet", labels_scheme=["happy", "sad"]) == (0, "", "")


@pytest.mark.parametrize("closed, kind", [("happy", "folders"), ("happy/0.png", "files")])
def test_missing_permissions_are_named_with_the_command_that_gives_them(check, monkeypatch, closed, kind):
    monkeypatch.setattr(os, "access", lambda path, mode: not path.rstrip("/").endswith(closed))
    status, _, err = check(CLASSES, labels_scheme=["happy", "sad"])
    assert status == 1
    assert f"{kind} without permission" in err
    assert "data/raw/happy" in err
    assert "chmod -R u+rX data/raw" in err


@pytest.mark.parametrize(
    "files, facts",
    [
        ({}, "holds no images"),
        ({"holiday/a.png": IMAGE, "work/b.png": IMAGE}, "manifest"),
        ({"1/a.png": IMAGE, "2/b.png": IMAGE}, "labels.numbers"),
        ({"happy/a.png": IMAGE, "hapy/b.png": IMAGE}, "hapy"),
        ({"fer2013.csv": b"name,age\n1,2\n"}, "emotion"),
        ({"a.csv": b"x", "b.zip": b"y"}, "source.file"),
    ],
    ids=["empty", "unknown layout", "bare numbers", "slip", "other table", "several sources"],
)
def test_a_source_that_no_reader_takes_is_a_fault(check, files, facts):
    status, _, err = check(files)
    assert status == 1
    assert facts in err


def test_a_folder_that_is_missing_is_a_fault_and_the_sample_is_drawn_later(check, project):
    status, _, err = check({}, source_folder="data/gone")
    assert status == 1
    assert "data/gone" in err
    assert "source.folder" in err
    status, out, err = check({}, source_folder="data/sample", source_remote="store")
    assert (status, err) == (0, "")
    assert "make_sample" in out


@pytest.mark.parametrize("folder", ["data", "."])
def test_a_folder_into_which_the_pipeline_writes_is_a_fault(check, folder):
    status, _, err = check(CLASSES, source_folder=folder, labels_scheme=["happy", "sad"])
    assert status == 1
    assert "data/dataframe.csv" in err
    assert "source.folder" in err


@pytest.mark.parametrize(
    "params, facts",
    [
        ({"labels_scheme": "eight"}, "labels.scheme"),
        ({"labels_targets": "votes"}, "labels.targets"),
        ({"labels_numbers": {0: "hapy"}}, "labels.numbers"),
        ({"labels_scheme": "ferplus"}, "ferplus"),
        ({"train_epochs": 0}, "train.epochs"),
    ],
)
def test_params_that_would_stop_a_stage_are_faults(check, params, facts):
    status, _, err = check(FILES, **params)
    assert status == 1
    assert facts in err


@pytest.mark.parametrize("share, is_fault", [(0.2, True), (0.4, False)])
def test_images_that_a_reader_rejects_are_a_fault_above_the_share(project, share, is_fault):
    write_params(project, source_rejected_share=share, labels_scheme=["happy", "sad"])
    params = load_params(*SECTIONS)
    entries = [
        Entry("a", "happy", None, "happy"),
        Entry("b", "sad", None, "sad"),
        Entry("c", "", None, fault="no label"),
    ]
    source = TreeSource(FolderTree(RAW), Layout("a layout", entries), Listing([], {}, {}))
    plan = make_plan(source, resolve_scheme(["happy", "sad"]), params)
    said, other = (plan.faults, plan.warnings) if is_fault else (plan.warnings, plan.faults)
    assert [("c: no label" in line, "1 of 3" in line) for line in said] == [(True, True)]
    assert other == []


def test_make_repro_checks_before_dvc_looks():
    done = subprocess.run(["make", "-n", "repro"], cwd=ROOT, capture_output=True, text=True, check=True)
    assert 0 < done.stdout.index("emotion check --quiet") < done.stdout.index("dvc repro")


def test_outside_of_a_project_the_message_is_that_of_all_commands(here, run_emotion):
    status, _, _ = run_emotion("check")
    assert "params.yaml is missing" in status


# Stores


def test_a_source_in_a_store_is_reported(report, memory):
    for name, content in CLASSES.items():
        memory.pipe_file(f"/bucket/raw/{name}", content)
    memory.pipe_file("/bucket/raw/.DS_Store", b"x")
    found = report({}, source_folder="memory://bucket/raw", labels_scheme=["happy", "sad"])
    assert found["faults"] == []
    assert found["files"]["images"] == {"files": 6, "bytes": 6 * len(IMAGE), "suffixes": [".png"]}
    assert found["files"]["system files"]["files"] == 1
    assert (found["source"]["name"], found["source"]["images"]) == ("memory://bucket/raw", 6)


def test_a_store_without_images_is_a_fault(check, memory):
    status, _, err = check({}, source_folder="memory://bucket/raw")
    assert status == 1
    assert "memory://bucket/raw (source.folder) holds no images" in err
