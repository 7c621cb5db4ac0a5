"""params.yaml is refused, with the key and what would be right, unless all of it can be used."""

import contextlib
import copy
import os
import re
import sys
import time
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from emotion.core.errors import InputError
from emotion.core.params import CONVERSIONS, RENAMED, RENAMED_VALUES, SECTIONS, check_params, load_params, read_yaml

PARAMS_FILE = Path(__file__).parents[2] / "params.yaml"


@pytest.fixture
def content():
    return copy.deepcopy(read_yaml(PARAMS_FILE))


def test_the_committed_params_are_valid():
    params = load_params(*SECTIONS, path=PARAMS_FILE)
    assert params.features.channels == 1


def test_a_stage_sees_the_sections_it_asked_for_and_no_other():
    params = load_params("sample", path=PARAMS_FILE)
    with pytest.raises(AttributeError):
        _ = params.train


@pytest.mark.parametrize("file", [None, ".", "a.csv", "sub/a.csv", "a..csv", "class folders/a b.zip"])
def test_a_source_inside_the_folder_is_allowed(content, file):
    content["source"]["file"] = file
    assert check_params(content, "source").source.file == file


@pytest.mark.parametrize("folder", ["s3://bucket/faces", "gs://bucket", "azure://container/a", "ssh://me@host/faces"])
def test_the_source_may_be_in_a_store(content, folder):
    content["source"] |= {"folder": folder, "remote": "private"}
    assert check_params(content, "source").source.folder == folder


@pytest.mark.parametrize(
    "folder, expected",
    [
        ("s3://bucket/faces/", "as DVC writes it, s3://bucket/faces$"),
        ("S3://bucket//faces", "as DVC writes it, s3://bucket/faces$"),
        ("az://container/a", "as DVC writes it, azure://container/a$"),
        ("s3://key:verysecret/x@bucket/a", "s3://BUCKET/FOLDER without a password"),
        ("ssh://me:verysecret@host/a", "ssh://USER@HOST/FOLDER without a password"),
    ],
)
def test_an_address_is_written_as_dvc_compares_it_and_holds_no_secret(content, folder, expected):
    content["source"] |= {"folder": folder, "remote": "private"}
    with pytest.raises(InputError, match=rf"source\.folder: got .*, expected .*{expected}") as error:
        check_params(content, "source")
    assert "verysecret" not in str(error.value)


def test_the_shared_store_takes_the_sample_only(content):
    content["source"] |= {"folder": "data/raw", "remote": "store"}
    with pytest.raises(InputError, match=r"source\.remote: got 'store', expected private.*`emotion preset folder`"):
        check_params(content, "source")
    for remote in ("private", "team"):
        content["source"]["remote"] = remote
        assert check_params(content, "source").source.remote == remote


def test_sections_are_frozen():
    params = load_params("sample", path=PARAMS_FILE)
    with pytest.raises(ValueError, match="frozen"):
        params.sample.seed = 1


@pytest.mark.parametrize(
    ("section", "key", "value", "message"),
    [
        ("train", "learning_rate", -1, r"train\.learning_rate: got -1, expected .*\b0$"),
        ("train", "learning_rate", "fast", r"train\.learning_rate: got 'fast', expected .*number"),
        ("train", "optimizer", "sdg", r"train\.optimizer: got 'sdg', expected .*sgd.*adam.*muon"),
        ("train", "epochs", 0, r"train\.epochs: got 0, expected .*\b1$"),
        ("train", "epochs", True, r"train\.epochs: got True, expected .*integer"),
        ("train", "epochs", "20", r"train\.epochs: got '20', expected .*integer"),
        ("train", "progressive_sizes", [[32]], r"train\.progressive_sizes\.0: got \[32\], expected .*\[32, 0\.6\]"),
        ("train", "progressive_sizes", [[0, 0.5]], r"train\.progressive_sizes\.0: got \[0, 0\.5\]"),
        ("train", "progressive_sizes", [[32.5, 0.5]], r"train\.progressive_sizes\.0: got \[32\.5, 0\.5\]"),
        ("train", "progressive_sizes", [[True, 0.5]], r"train\.progressive_sizes\.0.*: got .*True"),
        ("train", "progressive_sizes", [[32, 0.0]], r"train\.progressive_sizes\.0: got \[32, 0\.0\]"),
        ("train", "progressive_sizes", [32, 0.5], r"train\.progressive_sizes\.0: got 32, expected .*\[32, 0\.6\]"),
        ("train", "progressive_sizes", "[[32, 0.5]]", r"train\.progressive_sizes: got '.*', expected .*list"),
        ("train", "progressive_sizes", [[32, 0.6], [40, 0.4]], r"train\.progressive_sizes: got .*0\.6.*0\.4.*below 1"),
        ("train", "progressive_sizes", [[32, 44], [40, 34]], r"\.0: got \[32, 44\], expected .*divide.*train\.epochs"),
        ("train", "lr", 0.1, "train.lr: unknown key, expected architecture"),
        ("features", "color", "gray", r"features\.color: got 'gray', expected .*grayscale.*rgb"),
        ("features", "image_size", 4, r"features\.image_size: got 4, expected .*\b8$"),
        ("labels", "scheme", 7, r"labels\.scheme: got 7, expected .*list.*string"),
        ("source", "rejected_share", 1.5, r"source\.rejected_share: got 1\.5, expected .*\b1$"),
        ("source", "file", "ü" * 128 + ".csv", r"source\.file: got .*, expected names of at most 255 bytes"),
        ("source", "file", "../other/a.csv", r"source\.file: got '\.\./other/a\.csv', expected .*move.*source\.folder"),
        ("source", "file", "a/../../b.csv", r"source\.file: got 'a/\.\./\.\./b\.csv'"),
        ("source", "file", "..\\b.csv", r"source\.file: got .*b\.csv', expected .*source\.folder"),
        ("source", "file", "/data/a.csv", r"source\.file: got '/data/a\.csv', expected .*source\.folder"),
        ("source", "file", "C:\\a.csv", r"source\.file: got .*a\.csv', expected .*source\.folder"),
        ("augmentation", "zoom", [1.2, 0.9], r"augmentation\.zoom: got \[1\.2, 0\.9\], expected .*smaller.*first"),
        ("train", "warmup", 2, r"train\.warmup: got 2, expected .*share.*divide.*train\.epochs"),
        ("train", "warmup", 1.0, r"train\.warmup: got 1\.0, expected .*below 1"),
        ("train", "warmup", -0.1, r"train\.warmup: got -0\.1, expected .*\b0$"),
        ("train", "warmup", None, r"train\.warmup: got None, expected .*number"),
        ("faces", "detector", "haar", r"faces\.detector: got 'haar', expected .*yunet.*cascade"),
        ("faces", "margin", -0.5, r"faces\.margin: got -0\.5, expected .*-0\.4$"),
        ("faces", "margin", 2.5, r"faces\.margin: got 2\.5, expected .*\b2$"),
        ("faces", "smallest", 0, r"faces\.smallest: got 0, expected .*\b1$"),
        ("compute", "threads", 0, "compute.threads: got 0"),
    ],
)
def test_a_wrong_value_is_named_with_what_would_be_right(content, section, key, value, message):
    content[section][key] = value
    with pytest.raises(InputError, match=message):
        check_params(content, section)


@pytest.mark.parametrize(("old", "new"), RENAMED.items())
def test_a_renamed_key_is_refused_with_its_new_name(content, old, new):
    section, key = old.split(".")
    content[section][key] = content[section].pop(new)
    with pytest.raises(InputError, match=rf"{old}: .*renamed.* {section}.{new}") as error:
        check_params(content, section)
    assert "is missing" not in str(error.value)


@pytest.mark.parametrize("key", CONVERSIONS)
def test_a_key_in_another_unit_is_refused_with_its_conversion(content, key):
    section, name = key.split(".")
    content[section][name] = 2
    with pytest.raises(InputError, match=re.escape(f"{section}.{RENAMED[key]}, and {CONVERSIONS[key]}")):
        check_params(content, section)


@pytest.mark.parametrize(("key", "old"), [("features.color", "grey"), ("train.teacher_inputs", "changed")])
def test_a_renamed_value_is_refused_with_its_new_name(content, key, old):
    section, name = key.split(".")
    content[section][name] = old
    with pytest.raises(InputError, match=f"{key}: got '{old}'.*renamed to '{RENAMED_VALUES[key][old]}'"):
        check_params(content, section)


def test_a_missing_key_is_named(content):
    del content["train"]["seed"]
    with pytest.raises(InputError, match=r"train\.seed: is missing"):
        check_params(content, "train")


def test_a_missing_section_is_named(content):
    del content["train"]
    with pytest.raises(InputError, match="train: section is missing"):
        check_params(content, "train")


def test_an_unknown_section_is_named(content):
    content["trian"] = {}
    with pytest.raises(InputError, match=r"trian: .*expected one of sample, source"):
        check_params(content, "sample")


def test_an_empty_section_is_named(content):
    content["plot"] = None
    with pytest.raises(InputError, match=r"plot: got None, expected .*images_per_class, mistakes"):
        check_params(content, "plot")


def test_all_problems_are_named_at_once(content):
    content["train"]["epochs"] = 0
    content["train"]["lr"] = 1
    with pytest.raises(InputError) as error:
        check_params(content, "train")
    assert "train.epochs" in str(error.value)
    assert "train.lr" in str(error.value)


def test_a_number_in_scientific_notation_is_a_number(tmp_path):
    path = tmp_path / "params.yaml"
    path.write_text(PARAMS_FILE.read_text(encoding="utf-8").replace("learning_rate: ", "learning_rate: 1e-3 # "))
    assert load_params("train", path=path).train.learning_rate == 0.001


@pytest.mark.parametrize("text", ["a: [", "- 1", "", "3"])
def test_a_file_that_holds_no_params_is_refused(tmp_path, text):
    path = tmp_path / "params.yaml"
    path.write_text(text, encoding="utf-8")
    with pytest.raises(InputError, match=r"params\.yaml"):
        load_params("train", path=path)


def test_a_missing_file_is_refused_with_how_to_mend_it(tmp_path):
    with pytest.raises(InputError, match=r"params\.yaml is missing.*`git checkout .*params\.yaml`"):
        load_params("train", path=tmp_path / "params.yaml")


def test_no_param_has_a_name_that_the_run_cache_of_dvc_leaves_out():
    """With such a name, `dvc repro` brings the outputs of another value (treeverse/dvc#10296)."""
    names = {name for section in SECTIONS.values() for name in section.model_fields}
    assert not names & {"size", "nfiles"}


def bombs() -> dict[str, str]:
    """Return texts that would take minutes, or end the process."""
    aliases = "a0: &a0 [x, x, x, x, x, x, x, x, x]\n" + "".join(
        f"a{level}: &a{level} [{', '.join([f'*a{level - 1}'] * 9)}]\n" for level in range(1, 9)
    )
    merges = "m0: &m0 {k: 1}\n" + "".join(
        f"m{level}: &m{level} {{<<: [*m{level - 1}, *m{level - 1}]}}\n" for level in range(1, 30)
    )
    return {
        "aliases": aliases,
        "an alias as a value": aliases + "train: *a8\n",
        "merges": merges,
        "brackets": "train: " + "[" * 20_000 + "]" * 20_000,
        "indents": "".join(f"{' ' * level}a:\n" for level in range(400)),
        "digits": f"train: {'9' * 5000}",
        "keys": "".join(f"k{number}: 1\n" for number in range(300_000)),
    }


@pytest.mark.parametrize("bomb", bombs())
def test_yaml_that_would_take_for_ever_is_refused_at_once(bomb, tmp_path):
    (tmp_path / "params.yaml").write_text(bombs()[bomb], encoding="utf-8")
    started = time.process_time()
    with pytest.raises(InputError, match=r"params\.yaml (is not valid YAML|cannot be used)") as raised:
        load_params("train", path=tmp_path / "params.yaml")
    assert time.process_time() - started < 2
    assert len(str(raised.value)) < 500


def test_few_aliases_are_read(tmp_path):
    (tmp_path / "a.yaml").write_text("a: &a [1]\nb: *a\nc: '*' # * * * * * * * * * * * * * * * * * * * * * *", "utf-8")
    assert read_yaml(tmp_path / "a.yaml") == {"a": [1], "b": [1], "c": "*"}


@pytest.mark.skipif(sys.platform == "win32", reason="Windows has no such files")
@pytest.mark.parametrize("target", ["pipe", "/dev/zero"])
def test_params_from_a_pipe_or_a_device_are_refused(target, tmp_path):
    os.mkfifo(tmp_path / "pipe")
    (tmp_path / "params.yaml").symlink_to(target)
    with pytest.raises(InputError, match=r"params\.yaml is a pipe or a device"):
        load_params("train", path=tmp_path / "params.yaml")


@pytest.mark.fuzz
@given(st.text() | st.text("[]{}:,&*a1 -\n\"'#|>!"))
def test_any_yaml_is_read_or_refused(tmp_path_factory, text):
    path = tmp_path_factory.getbasetemp() / "any.yaml"
    path.write_bytes(text.encode(errors="surrogatepass"))
    with contextlib.suppress(InputError):
        load_params("train", path=path)
