"""Settings of the search for faces and of their crop, as two small files for the stages that read images.

`features.faces` decides whether the section `faces` of params.yaml matters to images of training. The stage
`resolve_faces` writes these files, which do not change with values that do not matter. So DVC runs the stages behind
it again only where their own settings are others.
"""

import json
from pathlib import Path
from typing import NamedTuple, TypeVar

from emotion.core.errors import InputError
from emotion.core.files import atomic_path, read_json
from emotion.core.params import Params

AS_IS, DETECT, AUTO = "as_is", "detect", "auto"
"""The values of `features.faces`."""

REMEDY = "run `dvc repro resolve_faces`"


class FaceSearch(NamedTuple):
    """The search for faces in the images of the source; `detector` and `smallest` matter unless `faces` is AS_IS.

    Attributes:
        faces: AS_IS, DETECT or AUTO.
        detector: `yunet` or `cascade`.
        smallest: pixels of the shorter side of the smallest face that is looked for.
    """

    faces: str
    detector: str = ""
    smallest: int = 0

    @property
    def searches(self) -> bool:
        """Whether any image is searched."""
        return self.faces != AS_IS


class FaceCrop(NamedTuple):
    """The crop of the faces that were found.

    Attributes:
        faces: AS_IS, DETECT or AUTO.
        margin: added on each side, as a share of the box's longer side.
    """

    faces: str
    margin: float = 0.0


Settings = TypeVar("Settings", FaceSearch, FaceCrop)


def resolve_search(params: Params) -> FaceSearch:
    """Return what the sections `features` and `faces` say about the search."""
    faces = params.features.faces
    return FaceSearch(faces) if faces == AS_IS else FaceSearch(faces, params.faces.detector, params.faces.smallest)


def resolve_crop(params: Params) -> FaceCrop:
    """Return what the sections `features` and `faces` say about the crop."""
    faces = params.features.faces
    return FaceCrop(faces) if faces == AS_IS else FaceCrop(faces, params.faces.margin)


def write_settings(path: Path, settings: FaceSearch | FaceCrop) -> None:
    """Write settings as JSON, with every digit. Under AS_IS the file says nothing else."""
    content = {"faces": AS_IS} if settings.faces == AS_IS else settings._asdict()
    with atomic_path(path) as temporary:
        temporary.write_text(json.dumps(content, indent=2, sort_keys=True) + "\n", encoding="utf-8")


def read_search(path: Path) -> FaceSearch:
    """Return the settings of the search; see `_read_settings`."""
    return _read_settings(path, FaceSearch)


def read_crop(path: Path) -> FaceCrop:
    """Return the settings of the crop; see `_read_settings`."""
    return _read_settings(path, FaceCrop)


def _read_settings(path: Path, kind: type[Settings]) -> Settings:
    """Return the settings that `write_settings` wrote.

    Raises:
        InputError: the file is missing or holds something else.
    """
    try:
        return kind(**read_json(path, REMEDY))
    except TypeError as error:
        raise InputError(f"{path} holds other settings than those of this version ({error}); {REMEDY}") from None
