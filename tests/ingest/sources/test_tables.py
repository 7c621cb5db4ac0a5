"""emotion.ingest.sources.tables: every form of a table of pixels gives the same images, or is refused."""

import io
import json
import re
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

from emotion.core.emotion_names import EMOTIONS
from emotion.core.errors import InputError
from emotion.ingest.label_reader import NUMBERINGS, LabelReader
from emotion.ingest.sources.content import content_of
from emotion.ingest.sources.source import Place, Source
from emotion.ingest.sources.tables import table_source
from tests.makers import USAGES, encode, open_source, write_files, write_zip

SIZE = 6
IMAGES = np.random.default_rng(3).integers(0, 256, (9, SIZE, SIZE), dtype=np.uint8)
SPLITS = ["train"] * 5 + ["val", "val", "test", "test"]
NAMES = [EMOTIONS[number % 7] for number in range(9)]
FER2013 = LabelReader(NUMBERINGS["fer2013"])


def found(source: Source) -> list[tuple[str, str | None, bytes]]:
    """Return emotion, split and pixels of every row; fail where one is rejected."""
    rows = [row for batch in source.batches(content_of) for row in batch]
    assert [content.reason for _, content in rows if content.reason] == []
    return [(entry.emotion, entry.split, content.pixels) for entry, content in rows]


EXPECTED = [(name, split, image.tobytes()) for name, split, image in zip(NAMES, SPLITS, IMAGES, strict=True)]


def frame(write=lambda image: " ".join(map(str, image.ravel())), emotion="emotion", usage="Usage") -> pd.DataFrame:
    """Return the table with pixels as `write` gives them."""
    columns = {emotion: range(9), "pixels": [write(image) for image in IMAGES], usage: [USAGES[one] for one in SPLITS]}
    return pd.DataFrame(columns).assign(**{emotion: [number % 7 for number in range(9)]})


def single_pixels(names: list[str]) -> pd.DataFrame:
    pixels = pd.DataFrame(IMAGES.reshape(9, -1), columns=names)
    return pd.concat([pixels, frame()[["Usage", "emotion"]].rename(columns={"emotion": "Label"})], axis=1)


def text(table: pd.DataFrame, encoding: str = "utf-8", **options: Any) -> bytes:
    content: str = table.to_csv(index=False, **options)
    return content.encode(encoding)


def as_list(image: np.ndarray) -> str:
    return str(image.ravel().tolist())


FORMS = {
    "plain": text(frame()),
    "byte order mark": text(frame(), "utf-8-sig"),
    "quoted": text(frame(), quoting=1),
    "commas": text(frame(lambda image: ",".join(map(str, image.ravel())))),
    "lists": text(frame(as_list)),
    "arrays on several lines": text(frame(lambda image: str(image.ravel()))),
    "semicolons": text(frame(), sep=";"),
    "tabs": text(frame(), sep="\t"),
    "utf-16": text(frame(as_list), "utf-16"),
    "utf-16 big end": b"\xfe\xff" + text(frame(), "utf-16-be"),
    "label": text(frame(emotion="Label", usage="split")),
    "class": text(frame(emotion=" Class", usage="set")),
    "expression": text(frame(emotion="expression")),
    "target": text(frame(emotion="target")),
    "other splits": text(frame()).replace(b"Training", b"train_set").replace(b"PublicTest", b"Valid"),
    "Testing": text(frame()).replace(b"PrivateTest", b"Testing"),
    "floats of whole numbers": text(frame(lambda image: " ".join(map(str, image.ravel().astype(float))))),
    "floats from 0 to 1": text(frame(lambda image: " ".join(f"{value:.6f}" for value in image.ravel() / 255))),
    "pixel_0": text(single_pixels([f"pixel_{number}" for number in range(SIZE**2)])),
    "0 to 35": text(single_pixels([str(number) for number in range(SIZE**2)])),
    "px1, floats": text(single_pixels([f"px{number + 1}" for number in range(SIZE**2)]).replace({0: 0.0})),
    "emotion as a float": re.sub(rb"(?m)^(\d),", rb"\1.0,", text(frame())),
    "further columns": text(frame().assign(person="ann", number=3)),
}


@pytest.mark.parametrize("form", FORMS)
def test_every_form_of_a_csv_file_gives_the_same_images(form, tmp_path):
    write_files(tmp_path, {"table": FORMS[form]})
    source = open_source(tmp_path, labels=FER2013)
    assert found(source) == EXPECTED
    places = [Place("row 1"), Place("row 7")]
    again = list(source.read_again(places, lambda image, place: image))
    assert [image.tobytes() for image in again] == [IMAGES[1].tobytes(), IMAGES[7].tobytes()]


def parquet(table: pd.DataFrame) -> bytes:
    buffer = io.BytesIO()
    table.to_parquet(buffer, row_group_size=4)
    return buffer.getvalue()


PARQUET_FORMS = {
    "text": frame(),
    "lists": frame(lambda image: image.ravel().astype(int).tolist()),
    "lists of lists": frame(lambda image: image.tolist()),
    "floats": frame(lambda image: (image.ravel() / 255).tolist()),
    "images": frame(lambda image: {"bytes": encode(image), "path": None}, "label").rename(columns={"pixels": "image"}),
}


@pytest.mark.parametrize("form", PARQUET_FORMS)
def test_every_form_of_a_parquet_file_gives_the_same_images(form, tmp_path):
    data = parquet(PARQUET_FORMS[form])
    write_files(tmp_path / "a", {"data.parquet": data})
    write_zip(tmp_path / "b/a.zip", {"data": data})
    for folder in "ab":
        assert found(open_source(tmp_path / folder, labels=FER2013)) == EXPECTED


def test_the_names_of_classes_in_a_parquet_file_of_datasets_are_read(tmp_path):
    import pyarrow as pa
    from pyarrow import parquet as files

    table = pa.Table.from_pandas(PARQUET_FORMS["images"])
    features = {"label": {"names": [*reversed(EMOTIONS)], "_type": "ClassLabel"}}
    table = table.replace_schema_metadata({"huggingface": json.dumps({"info": {"features": features}})})
    files.write_table(table, tmp_path / "a.parquet")
    names = [entry.emotion for batch in open_source(tmp_path).batches(content_of) for entry, _ in batch]
    assert names == [EMOTIONS[6 - number % 7] for number in range(9)]


def test_parquet_files_without_the_columns_or_cut_off_are_refused(tmp_path):
    write_files(tmp_path, {"a.parquet": parquet(frame().drop(columns="pixels")), "b.parquet": parquet(frame())[:-9]})
    with pytest.raises(InputError, match=r"a\.parquet: expected the columns emotion and pixels.*found emotion, Usage"):
        open_source(tmp_path, "a.parquet")
    with pytest.raises(InputError, match=r"b\.parquet is damaged or not complete .*download it again"):
        open_source(tmp_path, "b.parquet")


@pytest.mark.parametrize("separator", [" ", ", "])
def test_rgb_has_the_three_values_of_a_pixel_together(separator, tmp_path):
    colors = np.random.default_rng(4).integers(0, 256, (2, 4, 4, 3))
    rows = [f'happy,"{separator.join(map(str, image.ravel()))}"' for image in colors]
    write_files(tmp_path, {"a.csv": "\n".join(["label,pixels", *rows]).encode()})
    (batch,) = open_source(tmp_path).batches(content_of)
    assert [(content.height, content.width, content.channels) for _, content in batch] == [(4, 4, 3)] * 2
    assert [content.pixels for _, content in batch] == [image.astype(np.uint8).tobytes() for image in colors]


def csv_of(header: str, size: int, labels: list[object], pixel: object = 7) -> bytes:
    pixels = " ".join([str(pixel)] * size**2)
    return "\n".join([header, *(f"{label},{pixels}" for label in labels)]).encode()


@pytest.mark.parametrize(
    "name, data, layout, emotion",
    [
        ("a.csv", csv_of("emotion,pixels", 48, [3, 3]), "FER2013 table", "happy"),
        ("ckextended.csv", csv_of("emotion,pixels", 48, [7, 7]), "CK+ table", "contempt"),
        ("a.csv", csv_of("label,pixels", 48, ["joy", "joy"]), "table of pixels", "happy"),
        ("a.csv", csv_of("emotion,pixels", 64, ["Happy"] * 3), "table of pixels", "happy"),
    ],
)
def test_layouts_of_tables_and_their_numberings(name, data, layout, emotion, tmp_path):
    write_files(tmp_path, {name: data})
    source = open_source(tmp_path)
    assert source.layout == layout
    assert {entry.emotion for batch in source.batches(content_of) for entry, _ in batch} == {emotion}
    assert {entry.emotion for entry in source.preview()} == {emotion}


def test_the_numbering_of_the_params_wins_over_that_of_the_data_set(tmp_path):
    write_files(tmp_path / "a", {"fer2013.csv": csv_of("emotion,pixels", 48, [3])})
    write_files(tmp_path / "b", {"ckextended.csv": csv_of("emotion,pixels", 48, [3])})
    for folder in "ab":
        (batch,) = open_source(tmp_path / folder, labels=LabelReader(NUMBERINGS["rafdb"])).batches(content_of)
        assert batch[0][0].emotion == "disgust"


@pytest.mark.parametrize(
    "name, data",
    [
        ("a.csv", csv_of("label,pixels", 48, [3, "happy"])),
        ("a.csv", csv_of("emotion,pixels", 64, [3])),
        ("a.csv", csv_of("emotion,pixels", 48, [3], 0.5)),
        ("a.csv", csv_of("emotion,pixels", 28, [3]).replace(b"7 7 7", b"7;7;7")),
        ("my_ckextended.csv", csv_of("emotion,pixels", 64, [7])),
        ("a.parquet", parquet(frame(emotion="label"))),
    ],
)
def test_bare_numbers_of_other_tables_are_refused_with_the_known_numberings(name, data, tmp_path):
    write_files(tmp_path, {name: data})
    with pytest.raises(InputError, match=r"the labels are the numbers .*labels\.numbers") as error:
        open_source(tmp_path)
    assert "affectnet" in str(error.value)
    assert open_source(tmp_path, labels=FER2013).layout == "table of pixels"


BAD_ROWS = {
    'happy,"[1, 2, 3]"': "3 pixels, expected 4 (2x2)",
    'happy,"[1, 2, 3, x]"': "hold 'x', expected numbers",
    'happy,"[1, 2, 3, 256]"': "a pixel of 256, expected 0 to 255",
    'happy,"[1, 2, 3, -1]"': "a pixel of -1, expected 0 to 255",
    'happy,"[1, 2, 3, nan]"': "a pixel of nan",
    'happy,"[1, 2, 3, 1e400]"': "a pixel of inf",
    'happy,"[]"': "0 pixels, expected 4",
    'happy,"[1, 2, 3, 4]",more': "3 values, expected 2",
    'hapy,"[1, 2, 3, 4]"': "did you mean happy?",
    '"","[1, 2, 3, 4]"': "the emotion '' is not known",
    "9" * 5000 + ',"[1, 2, 3, 4]"': "the emotion '999",
}


@pytest.mark.parametrize("line, reason", BAD_ROWS.items(), ids=range(len(BAD_ROWS)))
def test_bad_rows_of_a_parsed_table_are_listed_with_their_reason(line, reason, tmp_path):
    good = ['happy,"[1, 2, 3, 4]"'] * 2
    write_files(tmp_path, {"a.csv": "\n".join(["label,pixels", *good, line, "", *good]).encode()})
    (batch,) = open_source(tmp_path).batches(content_of)
    assert [entry.image for entry, content in batch if content.reason] == ["row 2"]
    assert reason in batch[2][1].reason
    assert [entry.image for entry, _ in batch] == ["row 0", "row 1", "row 2", "row 4", "row 5"]


def test_numbers_from_0_to_1_are_scaled_only_where_they_have_decimals(tmp_path):
    rows = ["happy,0.0 1.0 0.5 0.25", "sad,0.0 0.0 1.0 2.0"]
    write_files(tmp_path / "a", {"a.csv": "\n".join(["label,pixels", *[rows[0]] * 300, rows[1]]).encode()})
    *_, last = open_source(tmp_path / "a").batches(content_of)
    assert "a pixel of 2, expected 0 to 1" in last[-1][1].reason
    assert last[0][1].pixels == bytes([0, 255, 128, 64])
    write_files(tmp_path / "b", {"a.csv": b"label,pixels\nhappy,0 1 1 0\n"})
    assert found(open_source(tmp_path / "b")) == [("happy", None, bytes([0, 1, 1, 0]))]


@pytest.mark.parametrize(
    "header",
    ["pixels,Usage", "emotion,Usage", "emotion,pixel_0,pixel_1,pixel_3,pixel_4", "label,label,pixels", "emotion,0,1,2"],
)
def test_tables_without_labels_or_pixels_are_refused(header, tmp_path):
    write_files(tmp_path, {"a.csv": f"{header}\n1,2\n".encode()})
    with pytest.raises(InputError, match=r"a\.csv: .*columns emotion, pixels.*found " + re.escape(repr(header))):
        open_source(tmp_path)


def test_batches_are_bounded_by_bytes(monkeypatch, tmp_path):
    monkeypatch.setattr(table_source, "BATCH_BYTES", 3 * len(csv_of("", 48, ["happy"])))
    write_files(tmp_path, {"a.csv": csv_of("emotion,pixels", 48, ["happy"] * 10)})
    sizes = [len(batch) for batch in open_source(tmp_path).batches(content_of)]
    assert sizes == [3, 3, 3, 1]


def write_parquet(folder: Path, name: str, rows: int, **columns: object) -> Path:
    import pyarrow as pa
    from pyarrow import parquet as files

    table = pa.table({"emotion": [index % 7 for index in range(rows)], **columns})
    files.write_table(table, folder / name, row_group_size=300)
    return folder / name


def test_numbers_as_texts_and_other_kinds_of_columns_in_parquet(tmp_path):
    import pyarrow as pa

    pixels = [[str((row + place) % 256) for place in range(48 * 48)] for row in range(2)]
    write_parquet(tmp_path, "texts.parquet", 2, pixels=pixels)
    (((_, first), (_, second)),) = open_source(tmp_path, "texts.parquet").batches(content_of)
    assert (first.reason, first.pixels[:3], second.pixels[:3]) == ("", bytes([0, 1, 2]), bytes([1, 2, 3]))
    pairs = pa.array([[("a", 1)]] * 2, pa.map_(pa.string(), pa.int64()))
    write_parquet(tmp_path, "pairs.parquet", 2, pixels=pairs)
    assert {entry.fault for entry in open_source(tmp_path, "pairs.parquet").preview()} == {"the row has no image file"}


@pytest.mark.medium
def test_damage_behind_the_first_rows_of_parquet_is_named(tmp_path):
    texts = [" ".join(str((row * place) % 256) for place in range(48 * 48)) for row in range(900)]
    path = write_parquet(tmp_path, "a.parquet", 900, pixels=texts)
    data = path.read_bytes()
    middle = len(data) * 3 // 4
    path.write_bytes(data[:middle] + b"\xff" * 30_000 + data[middle + 30_000 :])
    source = open_source(tmp_path)
    with pytest.raises(InputError, match=r"a\.parquet is damaged or not complete"):
        sum(len(batch) for batch in source.batches(content_of))


@pytest.mark.parametrize("data", ["emotion,pixels,Usage\n", "emotion,pixels,Usage\r3,1 2 3 4,Training\r"])
def test_tables_without_rows_are_refused(data, tmp_path):
    (tmp_path / "a.csv").write_bytes(data.encode())
    with pytest.raises(InputError, match=r"a\.csv holds no rows .*LF"):
        open_source(tmp_path)
