"""Stage resolve_faces: write what params.yaml says about faces in training images, for the stages that read images.

Under `features.faces: as_is` nothing in the section `faces` matters to training images. Were the section a param of
`create_dataframe` and `extract_features`, a change of `faces.margin` would train again for nothing. So they read it
through the outputs of this stage, which then stay the same bytes. DVC runs this stage, and skips those behind it.

- data/face_search.json: features.faces, faces.detector and faces.smallest. `create_dataframe` reads it.
- data/face_crop.json: features.faces and faces.margin. `extract_features` reads it. So another margin cuts faces out
  again, and does not search for them again.
"""

from emotion.core.guard import run_stage
from emotion.core.params import load_params
from emotion.core.paths import FACE_CROP, FACE_SEARCH
from emotion.ingest.photos.face_settings import resolve_crop, resolve_search, write_settings


def main() -> None:
    """Read the params; write the settings of the search and of the crop."""
    params = load_params("features", "faces")
    search = resolve_search(params)
    write_settings(FACE_SEARCH, search)
    write_settings(FACE_CROP, resolve_crop(params))
    print(f"features.faces: {search.faces}; {FACE_SEARCH} and {FACE_CROP} say what later stages need of it")


if __name__ == "__main__":
    run_stage(main)
