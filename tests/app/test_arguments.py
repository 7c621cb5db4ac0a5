"""Arguments that several commands share."""

import pytest

from emotion.app.arguments import check_target
from emotion.core.errors import InputError


def test_a_plot_needs_the_name_of_a_png_file(tmp_path):
    check_target(tmp_path / "faces.png")
    (tmp_path / "folder.png").mkdir()
    for name, expected in (("faces.jpg", r"\.png"), ("folder.png", "name of a file")):
        with pytest.raises(InputError, match=rf"--out\b.*{name}.*expected .*{expected}"):
            check_target(tmp_path / name)
