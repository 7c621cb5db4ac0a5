"""The `emotion` command."""

import argparse
import sys
from pathlib import Path

from emotion.errors import run_command


def main() -> None:
    """Run `emotion` with the arguments of the process."""
    arguments = _parser().parse_args()
    run_command(lambda: arguments.run(arguments))


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="emotion", description="Facial-emotion recognition, as a DVC pipeline.")
    commands = parser.add_subparsers(required=True, metavar="COMMAND")
    preset = commands.add_parser(
        "preset",
        help="write the params of a data set or published system into params.yaml",
        description="Write the params of a data set or published system into params.yaml; its comments and the "
        "values that the preset does not name stay. Without NAME: list the presets.",
        epilog="Example: emotion preset fer2013 && cp ~/Downloads/fer2013.tar.gz data/raw/ && dvc repro",
    )
    preset.add_argument("name", nargs="?", metavar="NAME", help="the preset, such as fer2013")
    preset.set_defaults(run=_preset)
    convert = commands.add_parser(
        "convert",
        help="write a trained model in another form, such as .h5",
        description="Write a trained model in the form that the new file's suffix names: .h5, Keras' older HDF5.",
        epilog="Example: emotion convert models/model.keras model.h5",
    )
    convert.add_argument("source", type=Path, metavar="MODEL", help="a model file that the pipeline wrote (.keras)")
    convert.add_argument("target", type=Path, metavar="NEW", help="the file to write; it must not exist yet")
    convert.set_defaults(run=_convert)
    experiments = commands.add_parser(
        "experiments",
        help="compare the experiments of the current commit in one plot",
        description="Draw the experiments of the current commit side by side, an axis for each param that differs "
        "among them and one for the metric, and print the best five.",
        epilog="Example: dvc exp run --queue -S 'train.learning_rate=0.05,0.1' && dvc exp run --run-all -j 2 && "
        "emotion experiments",
    )
    experiments.add_argument(
        "--metric",
        metavar="KEY",
        help="what to compare them by, named as in dvc exp show --csv; the validation accuracy unless told",
    )
    experiments.add_argument(
        "--out", type=Path, default=Path("experiments.png"), metavar="FILE", help="the plot to write (%(default)s)"
    )
    experiments.set_defaults(run=_experiments)
    release = commands.add_parser(
        "release",
        help="keep the model that the pipeline just made, with its figures, and push it",
        description="Write models/released/NAME: the model that the pipeline just made, its figures, plots and params, "
        "and a card that states them; have DVC track the model and push it to the default remote.",
        epilog="Example: dvc repro && emotion release fer2013 && git add models/released store",
    )
    release.add_argument("name", metavar="NAME", help="lowercase letters, digits and '-', such as fer2013-large")
    release.add_argument("--replace", action="store_true", help="put it in the place of the release of that name")
    release.set_defaults(run=_release)
    return parser


def _preset(arguments: argparse.Namespace) -> None:
    from emotion.presets import apply_preset, describe_preset, find_preset, list_presets

    if arguments.name is None:
        presets = list_presets()
        width = max(map(len, presets), default=0)
        for name, line in presets.items():
            print(f"{name:{width}}  {line}")
        return
    changes = apply_preset(arguments.name)
    for change in changes:
        print(f"{change.key}: {_shown(change.before)} -> {_shown(change.after)}")
    print(f"params.yaml: {len(changes)} values changed" if changes else "params.yaml has these values already")
    print(f"\n{describe_preset(find_preset(arguments.name))}", file=sys.stderr)


def _convert(arguments: argparse.Namespace) -> None:
    from emotion import runtime  # noqa: F401  # first of all, since it keeps TensorFlow quiet
    from emotion.conversion import convert

    convert(arguments.source, arguments.target)
    print(f"{arguments.target}: {arguments.target.stat().st_size / 2**20:.1f} MiB")


def _experiments(arguments: argparse.Namespace) -> None:
    from emotion.app.experiments import DEFAULT_METRIC, check_target, compare, format_best, read_experiments
    from emotion.plots.experiments import plot_experiments
    from emotion.plots.style import save_figure

    check_target(arguments.out)
    results = compare(read_experiments(), arguments.metric or DEFAULT_METRIC)
    save_figure(plot_experiments(results), arguments.out)
    print("\n".join([format_best(results), *results.notes, f"plot: {arguments.out}"]))


def _release(arguments: argparse.Namespace) -> None:
    from emotion.app.release import release

    print(release(arguments.name, replace=arguments.replace))


def _shown(value: object) -> str:
    return "null" if value is None else str(value)
