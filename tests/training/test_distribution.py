"""Ranks, real processes on this machine, train as one process does, whatever the options and whichever of them ends."""

import json
import os
import re
import signal
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import pytest

from tests.training.rank_cases import CASES, FOLDER

pytestmark = pytest.mark.tf

pytest.importorskip("jax", reason="JAX, of the extra [cluster], trains on several processes")

ROOT = Path(__file__).parents[2]
TIMEOUT = 900
"""Seconds after which a training hangs; most of the time is JAX' compilation."""

CLOSE = 2e-6
"""The most by which weights and figures may differ from those of one process.

Seen were 6e-8 (sgd with mixup, muon) to 2e-7 (adam), in six steps.
"""

COMMAND = (
    "from emotion.core.errors import run_command; from emotion.parallel.ranks import run_ranks;"
    "run_command(lambda: run_ranks('tests.training.rank_cases', 2))"
)


def start(folder: Path, *cases: str, processes: int = 2, **variables: str) -> "subprocess.Popen[str]":
    """Start the training of `cases`, by one process on JAX or by two ranks."""
    folder.mkdir(parents=True, exist_ok=True)
    environment = os.environ | {"PYTHONPATH": str(ROOT), FOLDER: str(folder), CASES: json.dumps(cases)} | variables
    command = ["-m", "tests.training.rank_cases"] if processes == 1 else ["-c", COMMAND]
    return subprocess.Popen(
        [sys.executable, *command],
        cwd=ROOT,
        env=environment | {"JAX_PLATFORMS": "cpu"},
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        encoding="utf-8",
    )


def run(folder: Path, *cases: str, processes: int = 2) -> str:
    process = start(folder, *cases, processes=processes)
    output, _ = process.communicate(timeout=TIMEOUT)
    assert process.returncode == 0, output
    return output


def weights(folder: Path, case: str, rank: int = 0) -> list[np.ndarray]:
    with np.load(folder / f"{case}-{rank}.npz") as arrays:
        return [arrays[name] for name in arrays.files]


def history(folder: Path, case: str, rank: int = 0) -> list[dict[str, float]]:
    rows: list[dict[str, float]] = json.loads((folder / f"{case}-{rank}.json").read_text(encoding="utf-8"))
    return rows


def same(first: list[np.ndarray], second: list[np.ndarray]) -> bool:
    return all((a == b).all() for a, b in zip(first, second, strict=True))


def difference(first: list[np.ndarray], second: list[np.ndarray]) -> float:
    return max(float(np.abs(a - b).max()) for a, b in zip(first, second, strict=True))


def check_close(tmp_path: Path, cases: list[str], close: float = CLOSE) -> None:
    """Hold that ranks agree to the bit, and with one process but for rounding."""
    run(tmp_path / "one", *cases, processes=1)
    output = run(tmp_path / "two", *cases)
    assert output.count("epoch   1 ") == len(cases), "one rank shows how the training goes"
    for case in cases:
        assert same(weights(tmp_path / "two", case, 0), weights(tmp_path / "two", case, 1)), case
        assert history(tmp_path / "two", case, 0) == history(tmp_path / "two", case, 1)
        far = difference(weights(tmp_path / "one", case), weights(tmp_path / "two", case))
        rows = zip(history(tmp_path / "one", case), history(tmp_path / "two", case), strict=True)
        figures = max(abs(one[name] - two[name]) for one, two in rows for name in one)
        print(f"{case}: weights differ by {far:.1e}, figures by {figures:.1e}")
        assert max(far, figures) < close, case
        assert far > 0, "the sums of ranks are rounded in another order"


def test_ranks_train_as_one_process_with_augmentation_mixup_and_batch_normalization(tmp_path):
    check_close(tmp_path, ["sgd"])


@pytest.mark.slow
def test_ranks_train_as_one_process_with_every_optimizer_teachers_and_two_classes(tmp_path):
    check_close(tmp_path, ["adam", "muon", "augmented", "original", "two classes"])


@pytest.mark.slow
@pytest.mark.parametrize("case, close", [("residual", 1e-3), ("residual_wide", 1e-2)])
def test_large_networks_train_as_by_one_process(case, close, tmp_path):
    """Depth enlarges what rounding changes: seen were 3e-4 and 2e-4 in figures, and 5e-5 and 2e-6 in weights."""
    check_close(tmp_path, [case], close)


@pytest.mark.slow
def test_ranks_train_as_one_process_in_bfloat16(tmp_path):
    """Numbers of 8 bits are rounded more: seen were 2e-4 in figures, and 9e-5 in weights."""
    check_close(tmp_path, ["bfloat16"], 2e-3)


@pytest.mark.slow
def test_a_step_exchanges_statistics_once_each_way_and_gradients_in_the_shapes_of_weights(tmp_path, monkeypatch):
    compiled = tmp_path / "compiled"
    dump = f"--xla_dump_to={compiled} --xla_dump_hlo_as_text --xla_dump_hlo_module_re=.*train_step.*"
    monkeypatch.setenv("XLA_FLAGS", dump)
    run(tmp_path, "residual")
    (step,) = compiled.glob("*.cpu_after_optimizations.txt")
    exchanges = re.findall(r"= (.*) all-reduce\(", step.read_text(encoding="utf-8"))
    normalizations = 14
    assert 0 < len(exchanges) <= 2 * normalizations + 2, "one for the loss, one for all gradients"
    gradients = re.findall(r"f32\[([\d,]+)\]", max(exchanges, key=len))
    assert "3,3,96,96" in gradients
    assert not [shape for shape in gradients if shape.startswith("64,")], "kernels as products of matrices have them"


@pytest.mark.slow
def test_images_that_ranks_cannot_share_are_left_out_of_an_epoch(tmp_path):
    run(tmp_path, "uneven")
    assert same(weights(tmp_path, "uneven", 0), weights(tmp_path, "uneven", 1))
    for row in history(tmp_path, "uneven"):
        right = row["accuracy"] * 74  # of 75 images
        assert right == pytest.approx(round(right), abs=1e-3)
        assert (right := row["val_accuracy"] * 41) == pytest.approx(round(right), abs=1e-3), "all are validated"


@pytest.mark.slow
def test_ranks_end_with_one_message_when_the_loss_is_no_number(tmp_path):
    run(tmp_path, "diverging")
    messages = [(tmp_path / f"diverging-{rank}.txt").read_text(encoding="utf-8") for rank in (0, 1)]
    assert messages[0] == messages[1]
    assert "lower train.learning_rate" in messages[0]


@pytest.mark.slow
def test_a_rank_that_trains_on_other_data_is_named(tmp_path):
    start(tmp_path, "sgd", RANK_ODD="1").communicate(timeout=TIMEOUT)
    for rank in (0, 1):
        message = (tmp_path / f"sgd-{rank}.txt").read_text(encoding="utf-8")
        assert message.startswith("rank 1 has other data than rank 0;")


def ranks_of(process: "subprocess.Popen[str]") -> list[int]:
    children = Path(f"/proc/{process.pid}/task/{process.pid}/children").read_text(encoding="ascii").split()
    return [int(child) for child in children]


def written(folder: Path) -> list[int]:
    return [file.stat().st_mtime_ns for file in (folder / "checkpoints").glob("[!.]*.npz")]


def wait_for_checkpoint(process: "subprocess.Popen[str]", folder: Path, before: list[int]) -> None:
    until = time.monotonic() + TIMEOUT
    while written(folder) in ([], before):
        assert process.poll() is None, process.communicate()
        assert time.monotonic() < until
        time.sleep(0.05)


@pytest.mark.slow
@pytest.mark.skipif(sys.platform != "linux", reason="/proc lists the ranks")
def test_a_training_whose_rank_was_killed_goes_on_and_ends_with_the_same_bits(tmp_path):
    whole, parts = tmp_path / "whole", tmp_path / "parts"
    run(whole, "long")
    for number, victim in ((signal.SIGKILL, 1), (signal.SIGTERM, None)):
        before = written(parts)
        process = start(parts, "long")
        wait_for_checkpoint(process, parts, before)
        ranks = ranks_of(process)
        assert len(ranks) == 2
        began = time.monotonic()
        os.kill(process.pid if victim is None else ranks[victim], number)
        output, _ = process.communicate(timeout=60)
        assert time.monotonic() - began < 10
        assert process.returncode == (143 if victim is None else 1)
        assert victim is None or f"rank {victim} of 2 was ended by {number.name}" in output
        assert not any(Path(f"/proc/{rank}").exists() for rank in ranks)
        assert list((parts / "checkpoints").glob("*.npz"))
    assert "going on after epoch" in run(parts, "long")
    assert same(weights(whole, "long"), weights(parts, "long"))
    assert history(whole, "long") == history(parts, "long")
    assert same(weights(parts, "long", 0), weights(parts, "long", 1))
