"""What the command line prints arrives in every encoding that a terminal may have."""

import io

import pytest

from cae_core.cli import terminal

SAID = "5×5, −3 … 10–20 ± 0.5 é ₂ 数"


@pytest.mark.parametrize(
    ("encoding", "printed"),
    [
        ("utf-8", SAID),
        ("ascii", "5x5, -3 ... 10-20 +/- 0.5 e 2 ?"),
        ("cp1252", "5×5, -3 … 10–20 ± 0.5 é 2 ?"),
        ("gbk", "5×5, -3 … 10–20 ± 0.5 é 2 数"),
    ],
)
def test_what_an_encoding_lacks_is_written_in_other_letters(encoding, printed):
    stream = io.TextIOWrapper(io.BytesIO(), encoding=encoding)
    terminal.write_everything(stream, io.StringIO())  # the second has no encoding to care about
    print(SAID, end="", file=stream, flush=True)
    assert stream.buffer.getvalue().decode(encoding) == printed
