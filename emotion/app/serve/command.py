"""`emotion serve`: a page for the browser that shows the emotions of faces, and its JSON API."""

import argparse

from emotion.app.arguments import add_predictor_arguments, make_predictor
from emotion.core.errors import InputError

HOST, PORT = "127.0.0.1", 8000
MAX_PORT = 65535

DESCRIPTION = """\
Serve a page for the browser: drop an image, or switch the camera on, and see the faces, their labels and the
probability of each emotion. A JSON API gives other programs the same answers; the page /api describes it.

Only this machine is answered, unless --host says otherwise. Images go to this program and no further. Nothing is
written to disk; the last frame of a camera stays in memory for a few seconds, for the tracking of its faces. Nothing on
the page comes from elsewhere."""

EXAMPLES = """\
examples:
  emotion serve --open
  emotion serve --model models/model.onnx --port 0
  curl -H 'content-type: image/jpeg' --data-binary @photo.jpg http://127.0.0.1:8000/api/predict"""


def add_parser(commands: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    """Add `serve` to the commands of `emotion`."""
    parser = commands.add_parser(
        "serve",
        help="serve a page for the browser that reads images and the camera",
        description=DESCRIPTION,
        epilog=EXAMPLES,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument(
        "--host",
        default=HOST,
        metavar="ADDRESS",
        help="the address to listen on; 0.0.0.0 is the whole network (%(default)s)",
    )
    parser.add_argument(
        "--port", type=_port, default=PORT, metavar="NUMBER", help="the port; 0 takes any that is free (%(default)s)"
    )
    parser.add_argument("--open", action="store_true", help="open the page in the browser")
    add_predictor_arguments(parser)
    parser.set_defaults(run=run)


def run(arguments: argparse.Namespace) -> None:
    """Serve until Ctrl-C.

    Raises:
        InputError: the address or port cannot be used, the model cannot be used, or FastAPI is not installed.
    """
    try:
        from emotion.app.serve.api import make_app
        from emotion.app.serve.server import listen, serve
    except ModuleNotFoundError as error:
        raise InputError(
            f"the page needs what is not installed here ({error}): pip install 'facial-emotion-pipeline[serve]'"
        ) from None
    # Before the model, whose loading takes seconds.
    with listen(arguments.host, arguments.port) as listener:
        predictor = make_predictor(arguments)
        app = make_app(predictor, host=arguments.host, detector=arguments.detector, smallest=arguments.smallest)
        serve(app, listener, open_page=arguments.open)


def _port(text: str) -> int:
    number = int(text) if text.isascii() and text.isdigit() else -1
    if not 0 <= number <= MAX_PORT:
        raise argparse.ArgumentTypeError(f"got {text!r}, expected a port: a whole number from 0 to {MAX_PORT}")
    return number
