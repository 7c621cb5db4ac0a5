"""The page about the API shows the answer that the API gives with the default model."""

import json
import re

import pytest

from emotion.app.serve.api import PAGE
from emotion.inference.predictor import Predictor
from tests.app.serve.serving import make_client, post
from tests.makers import encode

EXAMPLE = re.compile(r"<pre><code>(\{.*?\})</code></pre>", re.DOTALL)
TOLERANCE = 0.02
"""int8 rounds in another way on another kind of processor."""


def test_the_example_is_the_answer_of_the_default_model(astronaut):
    (example,) = EXAMPLE.findall((PAGE / "api.html").read_text(encoding="utf-8"))
    shown = json.loads(example)
    answer = post(make_client(Predictor()), encode(astronaut), {"content-type": "image/png"}).json()
    pairs = list(zip(shown.pop("faces"), answer.pop("faces"), strict=True))
    assert shown == answer
    assert pairs
    for face, expected in pairs:
        assert list(face) == list(expected)
        assert face["emotion"] == expected["emotion"]
        assert face["box"] == pytest.approx(expected["box"], abs=1)
        assert face["confidence"] == pytest.approx(expected["confidence"], abs=TOLERANCE)
        assert list(face["probabilities"]) == list(expected["probabilities"])
        assert face["probabilities"] == pytest.approx(expected["probabilities"], abs=TOLERANCE)
