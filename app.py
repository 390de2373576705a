"""Entry point: `streamlit run app.py`."""

import sys
from contextlib import asynccontextmanager

import streamlit as st
from starlette.middleware import Middleware
from streamlit import net_util
from streamlit.runtime import get_instance

from cae_core import runtime
from cae_core.runtime import host, process
from pages.parts.common import upload_limit
from pages.parts.session import copies


def _print_network_address() -> None:
    """Says where phones in the room find the app, unless it was told to listen elsewhere."""
    if st.get_option("server.address") is None and (address := net_util.get_internal_ip()):
        print(f"  On your network: http://{address}:{st.get_option('server.port')}\n", flush=True)


def _prepare_first_page() -> None:
    """Imports what the first page takes and makes such a picture, while the first visitor's browser loads Streamlit."""
    from cae_core import datasets
    from cae_core.figures import pictures
    from cae_core.inference import reconstruction
    from cae_core.pretrained import name_of
    from pages.parts.common import controls, missing, waiting  # noqa: F401
    from pages.parts.denoise import first_look, metric_table, questions  # noqa: F401
    from pages.parts.session import address  # noqa: F401

    sample = reconstruction.sample(datasets.default(), "gaussian", 0.5, seed=0)
    (result,) = reconstruction.reconstruct(sample, [name_of(datasets.default(), 32, "bce", "mixed")])
    pictures.png(pictures.image_grid([pictures.error_colours(result.x_hat)]))
    from streamlit import emojis, material_icon_names  # noqa: F401 (Streamlit's own, for whichever page comes first)


@asynccontextmanager
async def lifespan(app):
    _print_network_address()
    runtime.soon(_prepare_first_page)
    upload_limit.keep_newest(get_instance().uploaded_file_mgr)
    yield {}
    from cae_core import jobs

    jobs.default().end()  # a signal ends the process in a moment, without what is registered for its exit


process.set_up()
try:
    host.check()
except ValueError as error:
    sys.exit(f"  {error}")
app = st.App("pages/frame.py", lifespan=lifespan, middleware=[Middleware(copies.Marked)])
