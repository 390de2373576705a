"""Messages about a data set that is absent or damaged, and its download if the visitor asks."""

import streamlit as st

from cae_core import datasets
from pages.parts.common import show
from pages.parts.session import state


def has_images(dataset: str) -> bool:
    """Whether a data set can be shown; if not, says why and what can be done."""
    try:
        datasets.load(dataset, "test")
    except datasets.DataError as error:
        say(dataset, error)
        return False
    return True


def say(dataset: str, trouble: datasets.DataError) -> None:
    """The reason, and a button that mends it where there is one."""
    if isinstance(trouble, datasets.DatasetMissing):
        offer_download(dataset, show.plain(str(trouble)))
        return
    st.error(show.plain(str(trouble)))
    if datasets.DATASETS[dataset].download:
        offer_download(dataset, "Or download it, which puts the right files in their place.")


def offer_download(dataset: str, reason: str) -> None:
    """Says why a data set is not there, and fetches it when, and only when, the visitor asks."""
    entry = datasets.DATASETS[dataset]
    with st.container(border=True):
        st.markdown(reason)
        if st.button(f"Download {entry.label} ({entry.download_bytes / 1e6:.0f} MB)", key="download"):
            bar = st.progress(0.0, f"Asking for {entry.label}")
            try:
                entry.download(lambda fraction, text: bar.progress(fraction, text))
            except datasets.DataError as error:
                bar.empty()
                st.error(show.plain(str(error)))
            else:
                state.change_next_run(dataset=dataset)
                st.rerun()
