"""What the Architectures page shows in `streamlit.testing`."""

from __future__ import annotations

import base64
import io
import re
from urllib.parse import parse_qsl

import numpy as np
from PIL import Image
from shown import ShownPage


class ShownArchitectures(ShownPage):
    """One visitor's Architectures page."""

    FILE, QUESTION = "architectures.py", "How do the published designs differ, and what leaks past the code?"

    @property
    def facts(self) -> dict[str, str]:
        """The line of numbers: name to value."""
        return dict(re.findall(r"<div><small>(.*?)</small><span>(.*?)</span></div>", self.html))

    @property
    def links(self) -> dict[str, tuple[str, dict[str, str]]]:
        """Links to other pages: label to page and settings."""
        found = [link.proto for link in self.app.get("page_link")]
        return {one.label: (one.page, dict(parse_qsl(one.query_string, keep_blank_values=True))) for one in found}

    def picture(self, *words: str) -> np.ndarray:
        """The one picture whose alternative text has these words, `(h, w, 3)` uint8."""
        (alt,) = [alt for alt in self.alts if all(word in alt for word in words)]
        src = self._html.images[alt]
        return np.asarray(Image.open(io.BytesIO(base64.b64decode(src.partition(",")[2]))).convert("RGB"))

    def upload(self, name: str, data: bytes) -> ShownArchitectures:
        """Gives the page a file."""
        self.app.file_uploader[0].set_value((name, data, "image/png"))
        return self.run()
