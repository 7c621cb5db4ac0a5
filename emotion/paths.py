"""Where the stages meet: every file that one writes and another reads. dvc.yaml names the same ones."""

from pathlib import Path

SAMPLE_ARCHIVE = Path("data/sample/archive.zip")
TABLE = Path("data/dataframe.csv")
PIXELS = Path("data/pixels.npy")
REJECTED = Path("data/rejected.csv")
FEATURES = Path("data/features")
MODEL = Path("models/model.keras")

DATASET_METRICS = Path("metrics/dataset.json")
TRAINING_METRICS = Path("metrics/train.json")
EVALUATION_METRICS = Path("metrics/evaluate.json")

CURVES = Path("metrics/curves")
HISTORY = CURVES / "history.csv"
PREDICTIONS = CURVES / "predictions.csv"
ROC = CURVES / "roc.csv"
PRECISION_RECALL = CURVES / "precision_recall.csv"
RELIABILITY = CURVES / "reliability.csv"

PLOTS = Path("metrics/plots")

CHECKPOINTS = Path("models/.checkpoints")
TRAINING_TIME = CHECKPOINTS / "time.json"
TEACHERS = Path("models/teacher")
