"""Notes for the user where `features.faces` does not fit the images of the source."""

from emotion.faces.whole_image import LARGEST_CROP
from emotion.ingest.collect import Collected, select_without_face
from emotion.ingest.photos.face_settings import FaceSearch


def face_notes(collected: Collected, search: FaceSearch) -> list[str]:
    """Return the notes to print after a source was read; none where most images fit."""
    return _note_losses(collected, search) if search.searches else _note_whole_images(collected)


def _note_whole_images(collected: Collected) -> list[str]:
    """Return a note where most images are too large to be crops of faces, and are taken whole."""
    images = collected.images
    large = int(((images[["height", "width"]].max(axis=1) > LARGEST_CROP) & (images["box"] == "")).sum())
    if large <= len(images) / 2:
        return []
    return [
        f"note: {large} of {len(images)} images have a side of more than {LARGEST_CROP} pixels, and each is squeezed "
        "as a whole. Where they are photos, set features.faces: auto in params.yaml. It cuts the faces out as "
        "`emotion predict` does"
    ]


def _note_losses(collected: Collected, search: FaceSearch) -> list[str]:
    """Return a note where no face was found in most images."""
    without_face = len(select_without_face(collected.rejected))
    total = without_face + len(collected.images)
    if without_face <= total / 2:
        return []
    return [
        f"warning: no face was found in {without_face} of {total} images, which are left out (features.faces: "
        f"{search.faces}). Where images are crops of faces, set features.faces: as_is, or auto for images of up to "
        f"{LARGEST_CROP} pixels. Where faces are small, lower faces.smallest, which is {search.smallest}"
    ]
