"""A color for each emotion, the same in every plot, image, window and page."""

COLORS = {
    "angry": "#d55e00",
    "disgust": "#009e73",
    "fear": "#aa4499",
    "happy": "#e69f00",
    "sad": "#0072b2",
    "surprise": "#56b4e9",
    "neutral": "#777777",
    "contempt": "#7a4b2a",
}
"""Colors by emotion, after Okabe and Ito 2008 and Tol 2021, distinct for people with color blindness."""
