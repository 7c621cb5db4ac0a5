"""`emotion explain`: a plot of what in a face speaks for its predicted emotion."""

import argparse
from pathlib import Path

from emotion.app.arguments import add_predictor_arguments, check_target, make_predictor

DESCRIPTION = """\
Plot an image, its largest face, what in the face speaks for the predicted emotion, and the probabilities."""

DETAILS = """\
the plot:
  The face as the model takes it, and the same face under a heatmap by Grad-CAM (Selvaraju et al. 2017). Yellow speaks
  most for the emotion above the map; where there is no color, nothing speaks for it. Each map is scaled by its own
  maximum, so that of an improbable emotion is as yellow as that of a probable one. It shows where, not why.

model:
  A .keras file, since .tflite and .onnx files have no gradients; by default that of the released model.

exit status:
  0  the plot is written
  1  there is no face, or the image, the model or another argument cannot be used; nothing is written
  2  the arguments are wrong

examples:
  emotion explain photo.jpg
  emotion explain photo.jpg --emotion surprise --out why.png
  emotion explain group.jpg --all-faces
  emotion explain face.png --detector whole --model models/model.keras"""


def add_parser(commands: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    """Add the command to `emotion`."""
    parser = commands.add_parser(
        "explain",
        help="plot the parts of a face that speak for the predicted emotion",
        description=DESCRIPTION,
        epilog=DETAILS,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("image", type=Path, metavar="PATH", help="an image")
    parser.add_argument(
        "--emotion", metavar="NAME", help="explain this emotion as well: one of the model's, or a synonym"
    )
    parser.add_argument("--all-faces", action="store_true", help="plot the 12 largest faces, not the largest alone")
    parser.add_argument(
        "-o",
        "--out",
        type=Path,
        default=Path("explanation.png"),
        metavar="FILE",
        help="the plot to write (%(default)s)",
    )
    add_predictor_arguments(parser)
    parser.set_defaults(run=run)


def run(arguments: argparse.Namespace) -> None:
    """Write the plot, and print the prediction for each face.

    Raises:
        InputError: there is no face, or an argument cannot be used; nothing is written.
    """
    check_target(arguments.out)
    from emotion.app.explain.explain_faces import (
        MOST_FACES,
        describe_faces,
        explain_faces,
        find_keras_model,
        read_image_to_explain,
    )
    from emotion.explanation.sheet import plot_faces
    from emotion.plots.style import save_figure

    # Before the predictor, since Keras takes seconds to load.
    image = read_image_to_explain(arguments.image, arguments.out)
    arguments.model = find_keras_model(arguments.model)
    predictor = make_predictor(arguments)
    most = MOST_FACES if arguments.all_faces else 1
    faces = explain_faces(image, predictor, emotion=arguments.emotion, most=most)
    save_figure(plot_faces(image, faces, predictor.emotions), arguments.out)
    print("\n".join([*describe_faces(faces, predictor.emotions), f"plot: {arguments.out}"]))
