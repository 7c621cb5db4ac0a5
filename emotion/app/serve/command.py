"""`emotion serve`: a page for the browser that shows the emotions of faces, and its JSON API."""

import argparse
import os
import sys

from emotion.app.arguments import add_predictor_arguments, make_predictor
from emotion.core.errors import InputError

HOST, PORT = "127.0.0.1", 8000
MAX_PORT = 65535

DESCRIPTION = """\
Start a web page that reads images and the camera. It shows each face, its
emotion and the probability of every emotion."""

DETAILS = """\
privacy:
  Only this machine reaches the page, unless --host says otherwise.
  Images are sent to this program only. Nothing is written to disk.
  The last frame of a camera stays in memory for a few seconds, to track faces.
  The page loads nothing from other servers.

API:
  Other programs get the same answers as JSON. The page /api describes this.
    curl -H 'content-type: image/jpeg' --data-binary @photo.jpg \\
      http://127.0.0.1:8000/api/predict

exit status:
  0  Ctrl-C ended the server
  1  the address, the port, the model or another argument cannot be used
  2  the command line is wrong

examples:
  emotion serve --open          open the page in the browser
  emotion serve --port 0        use any free port
  emotion serve --host 0.0.0.0  let the whole network use the page"""


def add_parser(commands: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    """Add `serve` to the commands of `emotion`."""
    parser = commands.add_parser(
        "serve",
        help="start a web page that reads images and the camera",
        description=DESCRIPTION,
        epilog=DETAILS,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument(
        "--host",
        default=HOST,
        metavar="ADDRESS",
        help="address to listen on. 0.0.0.0: all addresses of this machine (default: %(default)s)",
    )
    parser.add_argument(
        "--port",
        type=_port,
        default=PORT,
        metavar="NUMBER",
        help="port to listen on. 0: any free port (default: %(default)s)",
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
        from emotion.app.serve.decoding import DecoderProcesses
        from emotion.app.serve.server import listen, serve
        from emotion.app.serve.uploads import Limits
    except ModuleNotFoundError as error:
        raise InputError(
            f"the page needs a package that is not installed ({error}); install it with "
            "pip install 'facial-emotion-pipeline[serve]'"
        ) from None
    # Before the model, whose loading takes seconds.
    with listen(arguments.host, arguments.port) as listener:
        predictor = make_predictor(arguments)
        limits = Limits()
        with DecoderProcesses(limits.decode_seconds) as decoders:
            app = make_app(
                predictor,
                host=arguments.host,
                detector=arguments.detector,
                smallest=arguments.smallest,
                limits=limits,
                decode=decoders.decode,
            )
            serve(app, listener, open_page=arguments.open)
    # The end of Python would wait for an image that is being predicted.
    sys.stdout.flush()
    os._exit(0)


def _port(text: str) -> int:
    number = int(text) if text.isascii() and text.isdigit() else -1
    if not 0 <= number <= MAX_PORT:
        raise argparse.ArgumentTypeError(f"got {text!r}, expected a port: a whole number from 0 to {MAX_PORT}")
    return number
