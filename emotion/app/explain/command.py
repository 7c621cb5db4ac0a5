"""`emotion explain`: where in a face the model looked."""

import argparse
from pathlib import Path

from emotion.app.arguments import add_predictor_arguments, check_target, make_predictor

DESCRIPTION = """\
Draw an image, its largest face, what in the face speaks for the emotion that the model reads there, and the
probabilities."""

DETAILS = """\
what is drawn:
  The face as the model sees it, and the same under colors, by Grad-CAM (Selvaraju et al. 2017): yellow where the face
  speaks most for the emotion above, none where it does not. Every map is colored by its own most, so that one of an
  improbable emotion is as yellow as one of a probable emotion. It says where the model looked, not why.

model:
  A .keras file, since .tflite and .onnx files have no gradients; that of the released model unless told.

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
        help="draw where in a face the model looked",
        description=DESCRIPTION,
        epilog=DETAILS,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("image", type=Path, metavar="PATH", help="an image")
    parser.add_argument(
        "--emotion", metavar="NAME", help="draw what speaks for this one as well: a name of the model's, or a synonym"
    )
    parser.add_argument("--all-faces", action="store_true", help="not the largest face alone, but the 12 largest")
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
    """Write the plot, and print what each face was taken for."""
    check_target(arguments.out)
    # What is wrong with the image shows before Keras, which takes seconds to load.
    from emotion.app.explain.faces import MOST_FACES, describe, explain_faces, find_model, read_whole
    from emotion.explanation.sheet import plot_faces
    from emotion.plots.style import save_figure

    image = read_whole(arguments.image, arguments.out)
    arguments.model = find_model(arguments.model)
    predictor = make_predictor(arguments)
    most = MOST_FACES if arguments.all_faces else 1
    faces = explain_faces(image, predictor, emotion=arguments.emotion, most=most)
    save_figure(plot_faces(image, faces, predictor.emotions), arguments.out)
    print("\n".join([*describe(faces, predictor.emotions), f"plot: {arguments.out}"]))
