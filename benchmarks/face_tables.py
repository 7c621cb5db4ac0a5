"""Tables of faces: detection, tilt, and the path from photo to emotion, from the files in results/."""

from benchmarks.face_results import read_section
from benchmarks.tables import render_table
from benchmarks.true_faces import KINDS
from emotion.evaluation.group_columns import EMPTY
from emotion.presentation.formats import MISSING, figure_text, number, percent


def render_detection() -> str:
    """Return the figures of each detector on photos, a column a detector."""
    detectors = read_section("detection")["detectors"]
    figures = list(detectors.values())
    first = figures[0]
    rows = [
        (f"recall, {first['faces']} faces", *(percent(row["recall"]) for row in figures)),
        ("precision", *(percent(row["precision"]) for row in figures)),
        ("photos with every face right and no false alarm", *(percent(row["photos_all_right"], 0) for row in figures)),
        (
            f"false alarms in {first['photos_without_faces']} photos without a face",
            *(str(row["false_alarms_without_faces"]) for row in figures),
        ),
        (
            f"any reading of {first['photos_with_faces']} photos with a face",
            *(percent(row["photos_with_a_reading"], 0) for row in figures),
        ),
        *(
            (f"found, {kind.replace('_', ' ')}", *(_count(row["by_kind"][kind]) for row in figures))
            for kind in KINDS
            if first["by_kind"][kind]["faces"]
        ),
        *(
            (f"found, portraits turned by {angle} degrees", *(_count(row["turned"][angle]) for row in figures))
            for angle in first["turned"]
        ),
        ("recall, faces of 24 to 40 pixels", *(percent(row["small"]["recall"], 0) for row in figures)),
        ("precision, faces of 24 to 40 pixels", *(percent(row["small"]["precision"], 0) for row in figures)),
        (
            "milliseconds an image of 640x480, the search alone",
            *(f"{row['milliseconds']['search']['median']:.1f}" for row in figures),
        ),
        (
            "the same with the tilts of all faces",
            *(f"{row['milliseconds']['detect']['median']:.1f}" for row in figures),
        ),
    ]
    return render_table(("", *detectors), rows)


def render_tilt() -> str:
    """Return accuracy on turned faces by angle, for both sets of faces."""
    rows = [
        (
            name,
            angle,
            percent(row["found"], 0),
            percent(row["not_leveled"]),
            f"{percent(row['leveled']['accuracy'])} ({_gain(row['leveled'])})",
            percent(row["turned_back"]["accuracy"]),
            f"{row['looks']:.1f}",
        )
        for name, figures in read_section("tilt")["turned"].items()
        for angle, row in figures["by_angle"].items()
    ]
    header = ("faces", "degrees", "found", "not leveled", "leveled (gain)", "turned back exactly", "looks a face")
    return render_table(header, rows)


def render_photo_emotions() -> str:
    """Return the answers of each detector on labeled photographs, for the default model and the standard one."""
    result = read_section("photo_emotions")
    count = result["photographs"]
    rows = [
        (
            f"`{model}`",
            name,
            percent(row["answered"] / count, 0),
            percent(row["accuracy"]["of_answered"]),
            percent(row["accuracy"]["of_all"]),
            f"{percent(row['balanced_accuracy']['of_all']['mean'])} "
            f"± {percent(row['balanced_accuracy']['of_all']['standard_error'])}",
        )
        for model, ways in result["models"].items()
        for name, row in ways.items()
    ]
    header = ("model", "detector", "answered", "right, of the answered", "right, of all", "balanced accuracy, of all")
    return render_table(header, rows)


def render_strata() -> str:
    """Return the figures of a model by strata of labeled photographs, a row a stratum."""
    columns = read_section("strata")["groups"]
    names = ("accuracy", "balanced_accuracy", "calibrated_overconfidence")
    rows = [
        (
            column,
            value.replace(EMPTY, "no face found"),
            number(scores["images"], 0),
            *(figure_text(scores, name) if name in scores else MISSING for name in names),
        )
        for column, figures in columns.items()
        for value, scores in figures["values"].items()
    ]
    header = ("stratum", "value", "photographs", "accuracy", "balanced accuracy", "confidence less accuracy")
    return render_table(header, rows)


def render_framing() -> str:
    """Return the place of FER2013's square relative to YuNet's box, by each way to measure it."""
    result = read_section("framing")
    canvases, photographs = result["detectors"]["yunet"], result["photographs"]
    in_use = result["framings"]["canvases"]["in_use"]
    by_eyes, square = photographs["framing_by_eyes"], photographs["cascade_square"]
    rows = [
        (
            f"PublicTest on canvases, border mean, enlarged 2 times, {percent(canvases['found'], 0)} found",
            f"{canvases['scale']['median']:.2f}",
            _shift(canvases["down"]),
        ),
        *(
            (
                f"a sample of them, border {name}, {percent(row['found'], 0)} found",
                f"{row['scale']['median']:.2f}",
                _shift(row["down"]),
            )
            for name, row in result["borders"].items()
            if name != "mean, enlarged 2 times"
        ),
        ("eyes in FER2013 and in photographs", f"{by_eyes['scale']:.2f}", f"{by_eyes['down']:+.3f}"),
        ("squares of the cascade in photos", f"{square['scale']['median']:.2f}", _shift(square["down"])),
        ("in use", f"{in_use['scale']:.2f}", f"{in_use['down']:+.3f}"),
    ]
    return render_table(("", "scale", "down"), rows)


def _count(row: dict[str, int]) -> str:
    return f"{row['found']} of {row['faces']}"


def _shift(quarters: dict[str, float]) -> str:
    return f"{quarters['median']:+.3f}"


def _gain(row: dict[str, float]) -> str:
    return f"{100 * row['gain']:+.1f} ± {100 * row['standard_error']:.1f}"
