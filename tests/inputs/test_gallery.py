"""The ready drawings: all there, all different, inside the pad, and digits where they say so."""

import numpy as np
import pytest

from cae_core.inputs import drawing, gallery


@pytest.mark.parametrize("name", gallery.READY)
def test_drawing_is_a_pads_picture_with_lines_without_gaps(name):
    """Every pen position of a stroke lies on ink, and none near the border."""
    ready, picture = gallery.READY[name], gallery.picture(name)
    assert (picture.shape, picture.dtype, picture.flags.writeable) == ((280, 280), np.float32, False)
    assert (picture.min(), picture.max()) == (0, 1)
    assert np.concatenate([picture[0], picture[-1], picture[:, 0], picture[:, -1]]).max() == 0, "ink is cut off"
    drawing.check(picture)
    assert not drawing.is_dark_on_light(picture)
    for x, y in (point for stroke in ready.strokes for point in stroke):
        row = ((y / 100 - 0.5) * ready.box + ready.middle[1] + 14) * 10
        column = ((x / 100 - 0.5) * ready.box + ready.middle[0] + 14) * 10
        assert picture[int(row) - 6 : int(row) + 7, int(column) - 6 : int(column) + 7].max() > 0.9


def test_there_are_digits_and_others_all_different():
    kinds = [ready.is_digit for ready in gallery.READY.values()]
    assert sum(kinds) >= 3
    assert len(kinds) - sum(kinds) >= 5
    labels = [ready.label for ready in gallery.READY.values()]
    assert len(set(labels)) == len(labels)
    pictures = [drawing.centre(gallery.picture(name)) for name in gallery.READY]
    for i, one in enumerate(pictures):
        for other in pictures[:i]:
            assert np.abs(one - other).mean() > 0.02


def test_unknown_name_is_refused():
    with pytest.raises(ValueError, match="Did you mean 'house'"):
        gallery.picture("hous")
