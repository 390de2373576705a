"""Drives a run's training to its end for somebody who waits for it, such as the command line."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from cae_core import runs
from cae_core.runs import AnyRun
from cae_core.training.trainer import Trainer


def drive(recording: Trainer, on_event: Callable[[Any], None]) -> AnyRun:
    """Trains and writes down; what stops it early, such as an interruption, leaves a run that can be resumed.

    Args:
        recording: not yet driven; let go of afterwards.
        on_event: called with every event.

    Returns:
        The finished run.

    Raises:
        FloatingPointError: it diverged, which is written down with it.
        ValueError: it could not begin, and nothing is left of it; or the disk refuses.
    """
    try:
        for event in recording.events():
            on_event(event)
    except KeyboardInterrupt:
        recording.interrupt()
        raise
    except FloatingPointError as error:
        recording.fail(str(error))
        raise
    except ValueError:
        if recording.model is None:  # it never began: there is no data set, or the network cannot take its images
            recording.discard()
        raise
    finally:
        recording.close()
    return runs.read(recording.path)
