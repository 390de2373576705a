"""Entry point: `streamlit run app.py`."""

import os

# Of the small matrix products that a page takes, each by itself, one thread makes hundreds a second; several wait for each
# other, a hundred times as long while a run trains. Read once, when NumPy is imported.
os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")

from contextlib import asynccontextmanager

import streamlit as st
from streamlit import net_util
from streamlit.runtime import get_instance

from pages.parts.common import upload_limit


def _print_network_address() -> None:
    """Says where phones in the room find the app, unless it was told to listen elsewhere."""
    if st.get_option("server.address") is None and (address := net_util.get_internal_ip()):
        print(f"  On your network: http://{address}:{st.get_option('server.port')}\n", flush=True)


@asynccontextmanager
async def lifespan(app):
    _print_network_address()
    upload_limit.keep_newest(get_instance().uploaded_file_mgr)
    yield {}


app = st.App("pages/frame.py", lifespan=lifespan)
