"""What a stack may be: bounds, and what cannot work together, said with what would work."""

from dataclasses import replace

import pytest

from cae_core.config import StackConfig
from cae_core.stacking.config import check, fitting
from cae_core.validation import code_size, sides

CONFIG = StackConfig(dataset="strokes")
IMAGE = (28, 28, 1)


def test_its_own_defaults_work_and_fitting_leaves_them_alone():
    check(StackConfig())
    assert StackConfig.from_dict(CONFIG.to_dict()) == CONFIG == fitting(CONFIG)
    assert sides(CONFIG, IMAGE) == [(14, 14), (7, 7)]
    assert code_size(CONFIG, IMAGE) == 7 * 7 * 20
    assert sides(replace(CONFIG, pooling=False), IMAGE) == [(28, 28), (28, 28)]


LAYERS = {"maps": (4,) * 3, "kernels": (3,) * 3}
REFUSED = [
    ({"labels": 9}, "has 10 classes: a class without a labelled image cannot be learnt. Give at least 10 labels"),
    ({"num_train": 100, "labels": 101}, "only 100 training images: set labels to at most 100, or num_train higher"),
    (LAYERS, "after 2 the maps are 7 × 7, which cannot be halved. Use 2 layers, or no"),
    ({"maps": (4,) * 5, "kernels": (3,) * 5}, "There are 5 layers; a stack has 1 to 4"),
    ({"maps": (), "kernels": ()}, "There are 0 layers"),
    ({"maps": (4, 4), "kernels": (3,)}, "give one of each for every layer"),
    ({"kernels": (4, 3)}, "must be odd, to have a middle: choose 3 or 5"),
    ({"kernels": (5, 15)}, "layer 2 are 15 × 15 pixels, and the maps it reads 14 × 14: choose kernels of at most 13"),
    ({"dataset": "stroke"}, "Did you mean 'strokes'"),
    ({"noise_kind": "nois"}, "Unknown noise kind"),
    ({"optimizer": "adan"}, "Did you mean 'adam'"),
    ({"kernels": (16,)}, "kernels"),
    ({"hidden": -1}, "hidden"),
]


@pytest.mark.parametrize(("change", "says"), REFUSED)
def test_what_cannot_be_is_named_with_what_would_work(change, says):
    with pytest.raises(ValueError, match=".") as error:
        check(replace(CONFIG, **change))
    assert says in str(error.value)


@pytest.mark.parametrize(
    "change",
    [
        {"labels": 2},
        {"num_train": 100, "labels": 60_000},
        LAYERS,
        {"kernels": (4, 4)},
        {"kernels": (15, 15)},
        {"maps": (4,) * 2, "kernels": (15,) * 2, "labels": 3, "pooling": False},
    ],
)
def test_fitting_gives_something_that_works(change):
    config = replace(CONFIG, **change)
    with pytest.raises(ValueError, match="."):
        check(config)
    check(fitting(config))
