"""The image of the web page in docs/reading.md: what `emotion serve` shows of scikit-image's portrait.

    python -m benchmarks.serve_screenshot

Drives Chromium (/usr/bin/chromium) with Playwright, on the default model of the command, as the other examples in the
documents. Writes results/serve.png. With --narrow it also writes the page in a phone's width.
"""

import argparse
import io
import re
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Any

import cv2
from PIL import Image

from benchmarks.photos import ASTRONAUT, load_photo
from emotion.core.errors import InputError, run_command
from emotion.inference.predictor import find_standard

ROOT = Path(__file__).resolve().parent.parent
RESULT = ROOT / "results/serve.png"
EMOTION = Path(sys.executable).with_name("emotion")

CHROMIUM = Path("/usr/bin/chromium")
FLAGS = (
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
)

WIDE, NARROW = (1280, 800), (390, 844)
"""Width and height of the window in pixels."""

MILLISECONDS = 60_000
"""The time that an element may take to show."""


def shoot(page: Any, url: str, photo: Path, size: tuple[int, int], image: Path) -> None:
    """Write what the page at `url` shows in a window of `size` after `photo` was chosen."""
    page.set_viewport_size({"width": size[0], "height": size[1]})
    page.goto(url)
    page.set_input_files("#file", str(photo))
    page.wait_for_selector(".face", state="visible", timeout=MILLISECONDS)
    page.wait_for_timeout(500)  # the bars grow
    with Image.open(io.BytesIO(page.screenshot())) as shown:
        shown.convert("RGB").quantize(256).save(image, optimize=True)


def shoot_all(url: str, photo: Path, images: dict[Path, tuple[int, int]]) -> None:
    """Write each of `images`, in a window of its size."""
    try:
        from playwright.sync_api import sync_playwright
    except ImportError:
        raise InputError("Playwright drives the browser; pip install -r requirements-dev.txt") from None
    if not CHROMIUM.exists():
        raise InputError(f"{CHROMIUM} is not there; install it (Debian, Ubuntu: apt install chromium)")
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=FLAGS)
        for image, size in images.items():
            shoot(browser.new_page(), url, photo, size, image)
        browser.close()


def main() -> None:
    """Run the measurement that the command line asks for."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--model", type=Path, default=find_standard(), help="a model file (that of the command)")
    parser.add_argument("--narrow", type=Path, help="where to write the page of a phone's width as well")
    arguments = parser.parse_args()
    images = {RESULT: WIDE} | ({arguments.narrow: NARROW} if arguments.narrow else {})
    with tempfile.TemporaryDirectory() as folder:
        photo = Path(folder) / "astronaut.png"
        cv2.imwrite(str(photo), load_photo(ASTRONAUT)[:, :, ::-1])
        command = [str(EMOTION), "serve", "--port", "0", "--model", str(arguments.model.resolve())]
        with subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, text=True, encoding="utf-8") as server:
            try:
                found = re.search(r"http://\S+", server.stdout.readline() if server.stdout else "")
                if found is None:
                    raise InputError("`emotion serve` did not start; see what it says above")
                shoot_all(found.group(), photo, images)
            finally:
                server.terminate()


if __name__ == "__main__":
    run_command(main)
