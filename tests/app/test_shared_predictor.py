"""Predictors on workers: loaded once, and not kept for ever."""

import weakref

from emotion.app.shared_predictor import MOST_LOADED, share_predictor


class Loaded:
    """Stands for a predictor."""

    def __init__(self, path, **options):
        self.path = path


def test_a_worker_loads_a_model_once_and_keeps_few(tmp_path, monkeypatch):
    monkeypatch.setattr("emotion.app.shared_predictor.Predictor", Loaded)
    alive: weakref.WeakSet[object] = weakref.WeakSet()
    for number in range(MOST_LOADED + 3):
        model = tmp_path / f"{number}.onnx"
        model.write_bytes(b"%d" % number)
        shared = share_predictor(model, detector="auto", margin=None, smallest=None, thorough=False)
        alive.add(shared.load())
        assert shared.load() in alive
    assert len(alive) == MOST_LOADED
