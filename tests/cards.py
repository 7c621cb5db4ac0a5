"""The rows that every model card has."""

SCORES = {
    "accuracy": "accuracy",
    "macro F1": "macro_f1",
    "balanced accuracy": "balanced_accuracy",
    "top-2 accuracy": "top_2_accuracy",
    "ROC AUC, mean of the classes": "roc_auc",
    "log loss": "log_loss",
    "log loss with the temperature": "calibrated_log_loss",
    "expected calibration error": "expected_calibration_error",
    "expected calibration error with the temperature": "calibrated_expected_calibration_error",
}
"""The scores in metrics/evaluate.json, by their titles in the card."""
