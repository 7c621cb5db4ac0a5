"""Stage train: train the network that params.yaml names on data/features.

Where train.processes asks for several processes, this one starts them and waits, or is one that a launcher started.
"""

import hashlib
from contextlib import nullcontext
from functools import partial
from typing import TYPE_CHECKING

from emotion.core.errors import InputError, run_command
from emotion.core.files import rounded, write_json
from emotion.core.guard import run_stage
from emotion.core.labels import Scheme, check_targets, resolve_scheme
from emotion.core.metadata import ModelMetadata
from emotion.core.params import Params, load_params
from emotion.core.paths import CHECKPOINTS, FEATURES, LIVE, TRAINED_MODEL, TRAINING_METRICS, TRAINING_TIME
from emotion.parallel import ranks

if TYPE_CHECKING:  # what starts ranks, or waits for the first one, does not load Keras
    from dvclive.live import Live

    from emotion.training.checkpoints import Row
    from emotion.training.loop import TrainingResult
    from emotion.training.training_data import TrainingData

LAST_GOOD_MODEL = CHECKPOINTS / "last_good.keras"
"""Model file for the best epoch of a training that diverged later."""


def main() -> None:
    """Train as one process or as a rank of several, or start these and wait for their end."""
    params = load_params("train", "augmentation", "labels", "compute")
    scheme = resolve_scheme(params.labels.scheme)
    check_targets(params.labels.scheme, params.labels.targets, params.labels.source_votes)
    rank = ranks.find_rank(params.train.processes)
    if params.train.processes > 1:
        ranks.check_processes(params.train.processes, params.train.batch_size)
    if rank is not None:
        train_as_rank(rank, params, scheme)
    elif params.train.processes > 1:
        ranks.run_ranks("stages.train", params.train.processes)
    else:
        train_and_write(params, scheme)


def train_as_rank(rank: ranks.Rank, params: Params, scheme: Scheme) -> None:
    """Train together with the other ranks; only the first one writes, and the others wait for that."""
    ranks.announce(rank)
    ranks.set_environment(params.compute.threads)
    from emotion.training import distribution

    distribution.connect(rank)
    with distribution.naming_lost_ranks():
        train_and_write(params, scheme)
        distribution.wait_for_all()


def train_and_write(params: Params, scheme: Scheme) -> None:
    """Read the features; write models/trained.keras, metrics/live and metrics/train.json."""
    from emotion.model_files import keras_setup
    from emotion.model_files.keras_file import save_model
    from emotion.training import distribution
    from emotion.training.loop import DivergedError, train
    from emotion.training.pretrained import read_pretrained

    keras_setup.set_up(params.compute.threads, params.train.seed)
    data = read_data(scheme, votes=params.labels.targets == "votes")
    metadata = ModelMetadata(scheme.emotions, data.size, data.color)
    pretrained = read_pretrained(params.train, metadata)
    try:
        with start_live() if distribution.is_first() else nullcontext() as live:
            result = train(data, len(scheme.emotions), params, CHECKPOINTS, partial(log_epoch, live), pretrained)
    except DivergedError as error:
        if error.network is None:
            raise
        if distribution.is_first():
            save_model(LAST_GOOD_MODEL, error.network, metadata)
        distribution.wait_for_all()  # the end of one rank would end the first one, which writes
        raise InputError(f"{error}; the best epoch before that is kept in {LAST_GOOD_MODEL}") from None
    if distribution.is_first():
        write_results(result, metadata, params)


def write_results(result: "TrainingResult", metadata: ModelMetadata, params: Params) -> None:
    """Write the model, its time and its figures; remove the checkpoint."""
    from emotion.model_files.keras_file import save_model
    from emotion.training.precision import resolve_precision

    print(f"trained {len(result.history)} epochs in {result.seconds:.0f} s; best: {result.best_epoch}")
    save_model(TRAINED_MODEL, result.model, metadata)
    # Times are not an output of the stage, since the bytes of its outputs are the same in every run.
    write_json(TRAINING_TIME, time_taken(result, params))
    write_json(TRAINING_METRICS, {"precision": resolve_precision(params.train.precision)} | summary(result))
    result.checkpoint.remove()


def read_data(scheme: Scheme, *, votes: bool) -> "TrainingData":
    """Return the arrays that training needs, with people's votes where `votes` is true.

    Raises:
        InputError: the arrays were made for other params.labels.
    """
    from emotion.data.feature_arrays import VOTES, load_features
    from emotion.training.training_data import TrainingData

    arrays = load_features(FEATURES)
    x_train, y_train, x_val, y_val = (arrays[name] for name in ("x_train", "y_train", "x_val", "y_val"))
    votes_train = arrays.get(VOTES)
    classes = len(scheme.emotions)
    fits = votes_train is None or votes_train.shape[1] == classes
    if votes != (votes_train is not None) or not fits or max(y_train.max(), y_val.max()) >= classes:
        raise InputError(
            f"{FEATURES} does not fit labels.targets and labels.scheme ({scheme.written}) of params.yaml; make it "
            "again with `dvc repro extract_features`"
        )
    return TrainingData(x_train, y_train, x_val, y_val, votes_train)


def start_live() -> "Live":
    """Return what writes metrics/live, in place of an older one; it neither changes dvc.yaml nor saves an experiment.

    Raises:
        InputError: the git repository has no commit, which DVCLive cannot do with.
    """
    from dvclive.live import Live
    from scmrepo.exceptions import SCMError

    try:
        return Live(str(LIVE), save_dvc_exp=False, dvcyaml=None)
    except SCMError as error:
        raise InputError(
            f"DVCLive, which writes {LIVE}, cannot use this git repository ({error}); commit the project first with "
            "`git add . && git commit`"
        ) from None


def log_epoch(live: "Live | None", row: "Row") -> None:
    """Write the figures of one epoch into metrics/live, and send them to DVC Studio where the user set a token."""
    if live is None:
        return
    live.step = int(row["epoch"])
    for name, value in rounded(row).items():
        if name != "epoch":
            live.log_metric(name, value)
    live.next_step()


def time_taken(result: "TrainingResult", params: Params) -> dict[str, object]:
    """Return the seconds of training, the hardware, and the checksum of the trained model."""
    from emotion.model_files import keras_setup

    return {
        "md5": hashlib.md5(TRAINED_MODEL.read_bytes(), usedforsecurity=False).hexdigest(),
        "seconds": round(result.seconds),
        "processor": keras_setup.processor(),
        "threads": params.compute.threads,
        "accelerator": keras_setup.accelerator(),
        "backend": keras_setup.backend(),
        "processes": params.train.processes,
    }


def summary(result: "TrainingResult") -> dict[str, object]:
    """Return the figures of metrics/train.json: the best epoch, its scores, and the size of the network."""
    from emotion.networks.cost import multiply_adds

    best = result.history[result.best_epoch - 1]
    return {
        "best_epoch": result.best_epoch,
        "epochs": len(result.history),
        "train": {"loss": best["loss"], "accuracy": best["accuracy"]},
        "validation": {"loss": best["val_loss"], "accuracy": best["val_accuracy"]},
        "parameters": result.model.count_params(),
        "multiply_adds": multiply_adds(result.model),
    }


def run_follower() -> None:
    """Run a rank other than the first: wait for that one, which has the lock of DVC and checks what goes in."""
    ranks.wait_for_coordinator()
    run_command(main)


def run() -> None:
    """Run the stage, as one process or as a rank."""
    if ranks.is_follower():
        ranks.run_rank(run_follower)
    elif ranks.is_rank():
        ranks.run_rank(partial(run_stage, main))
    else:
        run_stage(main)


if __name__ == "__main__":
    run_command(run)
