"""What the figures of benchmarks/winograd.py rest on: both ways convolve the same; never a speed."""

import argparse
import json

import numpy as np
import pytest

from emotion.core.errors import InputError

pytestmark = [pytest.mark.usefixtures("deterministic"), pytest.mark.tf]


def test_a_convolution_by_products_of_matrices_is_timed_against_a_plain_one(monkeypatch, tmp_path):
    """Each case with both ways, and with whether networks train by products of matrices."""
    from benchmarks import winograd

    monkeypatch.setattr(winograd, "CASES", [(4, 8), (6, 64)])
    monkeypatch.setattr("emotion.model_files.keras_setup.set_up", lambda threads, seed: None)
    result = tmp_path / "winograd.json"
    winograd.measure(argparse.Namespace(batch_size=2, repetitions=3, threads=2, output=result))
    cases = json.loads(result.read_text(encoding="utf-8"))["cases"]
    assert [(case["size"], case["taken"]) for case in cases] == [(4, False), (6, True)]
    for case in cases:
        plain, products = (case["milliseconds"][name]["runs"] for name in ("plain", "products"))
        assert min(plain + products) > 0
        assert case["ratio"]["runs"] == pytest.approx([p / q for p, q in zip(products, plain, strict=True)], rel=1e-3)


def test_both_ways_are_timed_on_the_same_convolution():
    from benchmarks.winograd import arrays, convolutions

    maps, kernel, _ = arrays(6, 8, batch_size=2)
    plain, products = (np.asarray(way(maps, kernel)) for way in convolutions().values())
    np.testing.assert_allclose(products, plain, atol=1e-3)


def test_nothing_to_measure_is_refused(tmp_path):
    from benchmarks.winograd import measure

    with pytest.raises(InputError, match="--repetitions: got 0, expected at least 1"):
        measure(argparse.Namespace(batch_size=2, repetitions=0, threads=2, output=tmp_path / "x.json"))
    assert not list(tmp_path.iterdir())
