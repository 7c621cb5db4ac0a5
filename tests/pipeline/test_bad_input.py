"""What a user of `dvc repro` reads when params or images cannot be used: one clear error, and no traceback."""

import pytest

pytestmark = pytest.mark.pipeline


def failed_repro(project) -> str:
    output: str = project.dvc("repro", fails=True)
    assert "Traceback" not in output
    assert "error: " in output
    return output


def test_unknown_keys_are_named_with_those_that_exist(project):
    project.set_params({"features.colors": "grayscale"})
    output = failed_repro(project)
    assert "features.colors: unknown key, expected faces, image_size, color, format" in output
    assert "failed to reproduce 'extract_features'" in output


@pytest.mark.parametrize(
    "param, value, said",
    [
        ("split.test", 1.5, "split.test: got 1.5, expected less than 0.5"),
        ("split.seed", "many", "split.seed: got 'many'"),
        ("labels.scheme", "eight", "labels.scheme: got 'eight', expected"),
    ],
)
def test_wrong_values_are_shown_with_what_would_be_right(project, param, value, said):
    project.set_params({param: value})
    assert said in failed_repro(project)


def test_a_missing_source_says_where_to_get_it_and_how_to_run_the_sample(project):
    project.set_params({"source.folder": "data/raw", "source.remote": "private"})
    output = failed_repro(project)
    assert "data/raw" in output
    assert "fer2013" in output.lower()
    assert "emotion preset sample" in output


def test_a_truncated_archive_is_an_error(project):
    whole = (project.path / "data/sample/archive.zip").read_bytes()
    (project.path / "data/raw/archive.zip").write_bytes(whole[: len(whole) // 2])
    project.set_params({"source.folder": "data/raw", "source.remote": "private"})
    assert "archive.zip" in failed_repro(project)


def test_a_failed_run_spoils_no_results(project):
    project.set_params({"features.color": "blue"})
    failed_repro(project)
    assert (project.path / "data/pixels.npy").is_file()
    assert (project.path / "models/trained.keras").is_file()
    assert (project.path / "models/model.keras").is_file()
    # DVC removes the outputs of a stage before it runs, and keeps them in its cache.
    assert not (project.path / "data/features").exists()
    project.git("checkout", "--quiet", "params.yaml")
    assert project.repro() == []
    assert project.status() == {}
