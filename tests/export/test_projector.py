"""The export read back as TensorBoard reads it: the protocol buffer's text format, tab separated values, and the sprite."""

import csv
import io
import re
import zipfile

import numpy as np
import pytest
from PIL import Image

from cae_core.export import projector

NAMES = ["T-shirt/top", "with\ttab", "c"]


@pytest.fixture(scope="module")
def content():
    rng = np.random.default_rng(0)
    z = rng.standard_normal((7, 3)).astype("float32") * 100
    labels = np.array([0, 1, 2, 0, 1, 2, 0])
    images = rng.integers(0, 256, (7, 5, 4, 1), dtype=np.uint8)
    return z, labels, images, projector.archive(z, labels, NAMES, images, 'a "run"')


@pytest.fixture(scope="module")
def files(content):
    with zipfile.ZipFile(io.BytesIO(content[3])) as folder:
        assert folder.testzip() is None
        return {name: folder.read(name) for name in folder.namelist()}


def test_vectors_metadata_and_sprite_are_in_order(content, files):
    rows = [[float(cell) for cell in line.split("\t")] for line in files["vectors.tsv"].decode().splitlines()]
    np.testing.assert_allclose(rows, content[0], rtol=1e-5)
    header, *rows = csv.reader(io.StringIO(files["metadata.tsv"].decode()), delimiter="\t")
    assert header == ["index", "class"]
    assert rows[:3] == [["0", "T-shirt/top"], ["1", "with tab"], ["2", "c"]]
    assert len(rows) == 7
    sprite = np.asarray(Image.open(io.BytesIO(files["sprite.png"])))
    assert sprite.shape == (15, 12, 3)
    np.testing.assert_array_equal(sprite[5:10, 0:4, 1], content[2][3, ..., 0])
    assert "tensorboard --logdir ." in files["README.txt"].decode()
    assert "7 codes of 3 numbers" in files["README.txt"].decode()


def test_configuration_is_in_the_plugins_format_and_names_the_files(files):
    text = files["projector_config.pbtxt"].decode()
    fields = dict(re.findall(r'^ +(\w+): "(.*)"$', text, re.MULTILINE))  # as projector_config.proto calls them
    assert fields.pop("tensor_name") == r"a \"run\""
    assert {*fields.values()} < {*files}
    assert fields.keys() == {"tensor_path", "metadata_path", "image_path"}
    assert re.findall(r"single_image_dim: (\d+)", text) == ["4", "5"]  # width, height


@pytest.mark.parametrize(("count", "size", "expected"), [(10_000, 2, 10_000), (10_000, 1568, 1275), (5, 3_000_000, 1)])
def test_long_codes_are_exported_of_fewer_images(count, size, expected):
    assert projector.num_images(count, size) == expected
