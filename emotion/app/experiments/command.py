"""`emotion experiments`: the experiments of the current commit in one plot."""

import argparse
from pathlib import Path

from emotion.app.arguments import check_target


def add_parser(commands: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    """Add the command to `emotion`."""
    parser = commands.add_parser(
        "experiments",
        help="compare the experiments of the current commit in one plot",
        description="Draw the experiments of the current commit side by side, an axis for each param that differs "
        "among them and one for the metric, and print the best five.",
        epilog="Example: dvc exp run --queue -S 'train.learning_rate=0.05,0.1' && dvc exp run --run-all -j 2 && "
        "emotion experiments",
    )
    parser.add_argument(
        "--metric",
        metavar="KEY",
        help="what to compare them by, named as in dvc exp show --csv; the validation accuracy unless told",
    )
    parser.add_argument(
        "--out", type=Path, default=Path("experiments.png"), metavar="FILE", help="the plot to write (%(default)s)"
    )
    parser.set_defaults(run=run)


def run(arguments: argparse.Namespace) -> None:
    """Write the plot and print the best; InputError where there is nothing to compare or the plot has no place."""
    from emotion.app.experiments.comparison import DEFAULT_METRIC, compare, format_best, read_experiments
    from emotion.plots.experiments import plot_experiments
    from emotion.plots.style import save_figure

    check_target(arguments.out)
    results = compare(read_experiments(), arguments.metric or DEFAULT_METRIC)
    save_figure(plot_experiments(results), arguments.out)
    print("\n".join([format_best(results), *results.notes, f"plot: {arguments.out}"]))
