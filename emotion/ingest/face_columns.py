"""The columns `box` and `face` of the table: places of faces in images, as texts."""

from emotion.faces.detection import Box, Detection


def format_box(box: Box | None) -> str:
    """Return a box as the text `x y width height`; an empty text for none."""
    return "" if box is None else " ".join(map(str, box))


def parse_box(text: str) -> Box | None:
    """Return the box that `format_box` wrote."""
    return Box(*map(int, text.split())) if text else None


def format_face(face: Detection | None) -> str:
    """Return a face as the text `x y width height tilt`, with every digit of the tilt; an empty text for none."""
    return "" if face is None else f"{format_box(face.box)} {face.tilt!r}"


def parse_face(text: str) -> Detection | None:
    """Return the face that `format_face` wrote."""
    if not text:
        return None
    *box, tilt = text.split()
    return Detection(Box(*map(int, box)), float(tilt))
