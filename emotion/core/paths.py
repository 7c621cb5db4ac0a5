"""The paths of the files that stages write and read. dvc.yaml names the same paths."""

from pathlib import Path

SAMPLE_FOLDER = Path("data/sample")
SAMPLE_ARCHIVE = SAMPLE_FOLDER / "archive.zip"
FACE_SEARCH = Path("data/face_search.json")
FACE_CROP = Path("data/face_crop.json")
TABLE = Path("data/dataframe.csv")
PIXELS = Path("data/pixels.npy")
REJECTED = Path("data/rejected.csv")
FEATURES = Path("data/features")
LABELS = Path("data/labels")
"""The folder of the decisions on labels, which git keeps."""

TRAINED_MODEL = Path("models/trained.keras")
MODEL = Path("models/model.keras")
TFLITE_MODEL = Path("models/model.tflite")
FLOAT16_MODEL = Path("models/model_float16.tflite")
INT8_MODEL = Path("models/model_int8.tflite")
ONNX_MODEL = Path("models/model.onnx")
EXPORTED = {
    "keras": MODEL,
    "tflite": TFLITE_MODEL,
    "tflite_float16": FLOAT16_MODEL,
    "tflite_int8": INT8_MODEL,
    "onnx": ONNX_MODEL,
}
"""The model files that the stage export writes, by their names in metrics/export.json; the first is the reference."""

DATASET_METRICS = Path("metrics/dataset.json")
TRAINING_METRICS = Path("metrics/train.json")
EVALUATION_METRICS = Path("metrics/evaluate.json")
SUMMARY_METRICS = Path("metrics/summary.json")
EXPORT_METRICS = Path("metrics/export.json")

TIMES = Path("metrics/times")
"""Measured times, which git ignores. They are no outputs of stages, since they differ from run to run."""

TRAINING_TIME = TIMES / "train.json"
EXPORT_TIME = TIMES / "export.json"

LIVE = Path("metrics/live")
HISTORY = LIVE / "plots/metrics"
"""The folder in which DVCLive writes one .tsv file for each figure of an epoch."""

CURVES = Path("metrics/curves")
PREDICTIONS = CURVES / "predictions.csv"
ROC = CURVES / "roc.csv"
PRECISION_RECALL = CURVES / "precision_recall.csv"
RELIABILITY = CURVES / "reliability.csv"

PLOTS = Path("metrics/plots")
SHEETS = Path("metrics/sheets")
EXPLANATIONS = Path("metrics/explanations.png")
MODEL_CARD = Path("metrics/model_card.md")

CHECKPOINTS = Path("models/.checkpoints")
PRETRAINED_MODELS = Path("models/pretrained")
RELEASED_MODELS = Path("models/released")

OUTPUT_FOLDERS = (
    *(TABLE.parent, SAMPLE_FOLDER, MODEL.parent, CHECKPOINTS),
    *(EVALUATION_METRICS.parent, TIMES, CURVES, PLOTS, SHEETS),
)
"""The folders in which stages write. Killed stages leave temporary files there."""
