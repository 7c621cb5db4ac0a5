"""Tables of speed, from the JSON files that the benchmarks write into results/."""

from typing import Any

from benchmarks.runs import RESULTS
from benchmarks.tables import render_table
from emotion.core.files import read_json

RATES = {
    "stock Keras, float32": "keras_float32",
    "stock Keras, `mixed_bfloat16`": "keras_mixed_bfloat16",
    "PyTorch, eager, float32": "pytorch_float32",
    "PyTorch, eager, autocast to bfloat16": "pytorch_bfloat16",
    "ours, float32": "ours_float32",
    "ours, `mixed_bfloat16`": "ours_mixed_bfloat16",
}

RATIOS = {
    "ours in bfloat16 over stock Keras in float32": "speedup",
    "ours over stock Keras, both float32": "speedup_float32",
    "ours over PyTorch, both float32": "speedup_over_pytorch_float32",
    "ours over PyTorch, both in bfloat16": "speedup_over_pytorch_bfloat16",
    "multiply-adds a second over those of the convolutions alone, bfloat16": "share_of_limit",
    "the same in float32": "share_of_limit_float32",
    "share of the random changes in the step": "augmentation_share",
}

WORKS = {
    "photos": "`emotion predict`, {} photos of 512x512",
    "small": "`emotion predict`, {} faces of 48x48",
    "table": "table with the search for faces, {} photos",
}

TRAININGS = {
    "jax_1x1": "JAX, one process of one thread",
    "jax_2x1": "JAX, two processes of one thread",
    "tensorflow_1x2": "TensorFlow, one process of two threads",
}

Spread = dict[str, Any]


def render_step(name: str) -> str:
    """Return images a second and ratios of a training step, from results/NAME.json.

    Rows without a figure, such as those of PyTorch where it was not installed, are left out.
    """
    networks = _read(name)["architectures"]
    measured = list(networks.values())
    rows = [
        (title, *(f"{network['images_a_second'][key]['median']:.0f}" for network in measured))
        for title, key in RATES.items()
        if all(key in network["images_a_second"] for network in measured)
    ]
    rows += [
        (title, *(_spread_text(network["ratios"][key]) for network in measured))
        for title, key in RATIOS.items()
        if all(key in network["ratios"] for network in measured)
    ]
    return render_table(("images a second", *(f"`{network}`" for network in networks)), rows)


def render_winograd() -> str:
    """Return the time of a convolution by products of matrices, as a multiple of that of TensorFlow."""
    rows = []
    for case in _read("winograd")["cases"]:
        ratio = f"{case['ratio']['median']:.2f}"
        side, channels = f"{case['size']}x{case['size']}", str(case["channels"])
        rows.append((side, channels, f"**{ratio}**" if case["taken"] else ratio))
    return render_table(("maps", "channels", "float32"), rows)


def render_ingestion() -> str:
    """Return the times of reading FER2013, against pandas and Keras."""
    layouts = _read("ingestion")["layouts"]
    table, folder = layouts["csv"], layouts["folder"]
    usual, ours = table["usual"], table["ours"]
    workers = f"{ours['mebibytes']} MiB, and {ours['worker_mebibytes']} MiB in each worker"
    rows = [
        ("`fer2013.tar.gz` to `.npy` files, against pandas", *_times(table)),
        ("peak memory of that", f"{usual['mebibytes']} MiB", workers, ""),
        ("35,887 JPEG files to `.npy` files, against Keras", *_times(folder)),
    ]
    return render_table(("", "the usual way", "this project", "ratio"), rows)


def render_photos() -> str:
    """Return the speed and peak memory of reading a folder of photos with the search for faces."""
    rows = []
    for run in _read("ingestion")["photos"]:
        seconds = run["create_dataframe_seconds"] + run["extract_features_seconds"]
        searched, whole = (f"{rate:.0f}" for rate in (run["photos_a_second"], run["photos"] / seconds))
        memory = f"{run['mebibytes']} MiB, and {run['worker_mebibytes']} MiB in each worker"
        rows.append((f"{run['photos']:,}", searched, whole, memory))
    return render_table(("photos of 1 MP", "searched a second", "to arrays a second", "peak memory"), rows)


def _times(layout: dict[str, Any]) -> tuple[str, str, str]:
    usual, ours = (f"{layout[way]['seconds']:.2f} s" for way in ("usual", "ours"))
    return usual, ours, f"{layout['ratio']:.1f}"


def render_reading() -> str:
    """Return the speed of reading images and videos."""
    photos, frames = _read("predict_speed"), _read("frame_speed")
    rates, cost, memory = (
        photos[key] for key in ("images_per_second", "processor_milliseconds_per_image", "mebibytes")
    )
    large = photos["command_mebibytes"]["5000"]
    video, rare, webcam = (
        f"{frames[way]['frames_a_second']['median']:.0f}" for way in ("video", "video_search_every_0.15_s", "webcam")
    )
    start, one = (f"{photos['seconds'][name]['median']:.2f} s" for name in ("help", "one_image"))
    rows = [
        (
            f"package `fer` {photos['versions']['fer']}, image by image",
            f"{rates['fer']['median']:.0f} images a second, {cost['fer']:.0f} ms of processor time each",
            f"{memory['fer']:.0f} MiB",
        ),
        (
            "`emotion predict`",
            f"{rates['command']['median']:.0f} images a second, {cost['command']:.0f} ms of processor time each",
            f"{memory['command']:.0f} MiB, with 5,000 images {large} MiB",
        ),
        ("`emotion predict` over `fer`, images a second", _spread_text(photos["ratio_of_the_command"]), ""),
        ("`emotion video`, every frame searched", f"{video} frames a second", ""),
        ("`emotion video --search 0.15`", f"{rare} frames a second", ""),
        ("`emotion webcam`, a file as camera, no window", f"{webcam} frames a second", ""),
        ("`emotion --help`", start, ""),
        ("one image with a TFLite file, start to answer", one, ""),
    ]
    return render_table(("", "speed", "peak memory"), rows)


def render_summary() -> str:
    """Return the speed of each part in one table, for README.md."""
    networks = _read("training_speed")["architectures"].values()
    fast, float32 = (
        min(network["ratios"][name]["median"] for network in networks) for name in ("speedup", "speedup_float32")
    )
    table, photos, repro = _read("ingestion")["layouts"]["csv"], _read("predict_speed"), _read("repro")
    frames = _read("frame_speed")["video"]["frames_a_second"]["median"]
    memory = photos["mebibytes"]
    rows = [
        (
            "a training step, bfloat16",
            f"{fast:.1f} times the images a second of stock Keras",
            f"float32: {float32:.1f}",
        ),
        (
            "`fer2013.tar.gz` to arrays",
            f"{table['ratio']:.1f} times as fast as pandas and numpy",
            f"{table['ours']['mebibytes']} MiB, usual way {table['usual']['mebibytes']} MiB",
        ),
        (
            "`emotion predict`, faces detected in images of 512x512",
            f"{photos['ratio_of_the_command']['median']:.2f} times the images a second of `fer`",
            f"{memory['command']:.0f} MiB, `fer` {memory['fer']:.0f} MiB",
        ),
        ("`emotion video`, 640x480", f"{frames:.0f} frames a second", ""),
        ("`dvc repro` on the sample", f"{repro['whole_seconds']:.0f} s", ""),
        ("`dvc repro` with nothing to do", f"{repro['idle_seconds']:.1f} s", ""),
    ]
    return render_table(("", "speed", "notes"), rows)


def render_cluster() -> str:
    """Return what two workers of one thread take, against two threads of one process."""
    result = _read("cluster")
    rows = []
    for work, title in WORKS.items():
        figures = result[work]
        rates = (f"{figures['images_a_second'][way]['median']:.0f}" for way in ("alone", "cluster"))
        memory = (f"{figures['mebibytes'][way]:.0f}" for way in ("alone", "cluster"))
        ratio = _spread_text(figures["processor_ratio"])
        rows.append(
            (title.format(f"{figures['images']:,}"), *rates, ratio, *memory, f"{figures['worker_mebibytes']:.0f}")
        )
    header = (
        *("", "images a second alone", "on two workers", "processor time, ratio"),
        *("MiB alone", "MiB of the command", "MiB of a worker"),
    )
    return render_table(header, rows)


def render_ranks() -> str:
    """Return images a second of training in one process and in two."""
    training = _read("cluster")["training"]
    rows = [(title, f"{training['images_a_second'][way]['median']:.0f}") for way, title in TRAININGS.items()]
    rows += [
        ("two processes over one, JAX", _spread_text(training["processes_over_one"])),
        ("two processes of JAX over TensorFlow", _spread_text(training["processes_over_tensorflow"])),
    ]
    return render_table((f"`{training['architecture']}`, batches of {training['batch_size']}", "images a second"), rows)


def _spread_text(spread: Spread) -> str:
    return f"{spread['median']:.2f} ({spread['low']:.2f} to {spread['high']:.2f})"


def _read(name: str) -> dict[str, Any]:
    return read_json(RESULTS / f"{name}.json", f"bring it back with `git checkout {RESULTS}`")
