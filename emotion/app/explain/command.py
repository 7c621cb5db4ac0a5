"""`emotion explain`: a plot of the parts of a face that speak for its predicted emotion."""

import argparse
from pathlib import Path

from emotion.app.arguments import add_predictor_arguments, make_predictor
from emotion.app.outputs import add_overwrite_argument, check_output

DESCRIPTION = """\
Plot which parts of a face speak for the predicted emotion. The plot shows the
image, its largest face, a heatmap over it, and the probabilities."""

DETAILS = """\
plot:
  The face is shown as the model takes it, and again under a heatmap. The
  method is Grad-CAM (Selvaraju et al. 2017).
  Yellow parts speak most for the emotion above the heatmap. Parts without
  color do not speak for it.
  Each heatmap is scaled to its own maximum. Do not compare the colors of
  two heatmaps. A heatmap shows where the model looks, not why.

model:
  The model must be a .keras file. Other formats have no gradients.

exit status:
  0  the plot is written
  1  there is no face, or an argument cannot be used; nothing is written
  2  the command line is wrong

examples:
  emotion explain photo.jpg                       write explanation.png
  emotion explain photo.jpg --emotion surprise    explain surprise as well
  emotion explain group.jpg --all-faces -o g.png  explain several faces
  emotion explain face.png --detector whole       the image is one face"""


def add_parser(commands: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    """Add the command to `emotion`."""
    parser = commands.add_parser(
        "explain",
        help="plot which parts of a face speak for the predicted emotion",
        description=DESCRIPTION,
        epilog=DETAILS,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("image", type=Path, metavar="IMAGE", help="image to explain")
    parser.add_argument(
        "--emotion", metavar="NAME", help="another emotion to explain: one of the model's, or a synonym"
    )
    parser.add_argument("--all-faces", action="store_true", help="plot the 12 largest faces, not only the largest")
    parser.add_argument(
        "-o",
        "--out",
        type=Path,
        default=Path("explanation.png"),
        metavar="FILE",
        help="plot to write, a .png file (default: %(default)s)",
    )
    add_overwrite_argument(parser)
    add_predictor_arguments(parser, formats=".keras", default="model.keras")
    parser.set_defaults(run=run)


def run(arguments: argparse.Namespace) -> None:
    """Write the plot, and print the prediction for each face.

    Raises:
        InputError: there is no face, or an argument cannot be used; nothing is written.
    """
    check_output(
        arguments.out,
        overwrite=arguments.overwrite,
        sources=[arguments.image],
        option="--out",
        suffixes=[".png"],
    )
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
    image = read_image_to_explain(arguments.image)
    arguments.model = find_keras_model(arguments.model)
    predictor = make_predictor(arguments)
    most = MOST_FACES if arguments.all_faces else 1
    faces = explain_faces(image, predictor, emotion=arguments.emotion, most=most)
    save_figure(plot_faces(image, faces, predictor.emotions), arguments.out)
    print("\n".join([*describe_faces(faces, predictor.emotions), f"plot: {arguments.out}"]))
