"""TensorFlow, loaded once, when something is trained or a page looks into a network's layers; and work in the background.

Looking at trained networks needs none (`architectures.forward`). Loading takes four to six seconds and half a gigabyte, so
a page that will want it asks for it when it is opened and goes on drawing.
"""

import atexit
import contextlib
import gc
import os
import threading
from collections import deque
from collections.abc import Callable, Iterator
from concurrent.futures import Executor

from cae_core.runtime import keras_settings, memory

LOADING = 300.0
"""Seconds that loading TensorFlow may take, on the slowest disk."""

_tasks: deque[Callable[[], None]] = deque(maxlen=64)  # old wishes give way to new ones
_wanted = threading.Semaphore(0)
_ending = threading.Event()
_loader = threading.Lock()
_worker = threading.Lock()
_ready = threading.Event()
_failure: list[str] = []


def start() -> None:
    """Begins to load TensorFlow, unless that was done before; returns at once."""
    _begin(_loader, "tensorflow", _load)


def ready(timeout: float = 0.0) -> bool:
    """Whether networks can be trained; begins to load TensorFlow, and waits up to `timeout` seconds for it.

    Raises:
        RuntimeError: TensorFlow cannot be loaded here; the message says why.
    """
    start()
    loaded = _ready.wait(timeout)
    if _failure:
        raise RuntimeError(_failure[0])
    return loaded


def failure() -> str:
    """Why networks can never be trained here; "" as long as they may."""
    return _failure[0] if _failure else ""


def soon(task: Callable[[], None]) -> None:
    """Has `task` done in the background when nothing older waits; what it raises is dropped.

    For work that only saves time later: with many tasks waiting, the oldest are forgotten.
    """
    _begin(_worker, "background", _work)
    _tasks.append(task)
    _wanted.release()


ONE_THREAD = dict.fromkeys(
    ("TF_NUM_INTRAOP_THREADS", "TF_NUM_INTEROP_THREADS", "OPENBLAS_NUM_THREADS", "OMP_NUM_THREADS"), "1"
)
"""What a process is started with that shares the processors with others: threads of several would wait for each other."""


@contextlib.contextmanager
def processes(count: int) -> Iterator[Executor]:
    """A pool of processes that train, each with a TensorFlow of its own and one thread; started as they are needed.

    They end with the block, at once if it is left by an error or an interruption, and with this process however that ends.
    """
    import multiprocessing
    from concurrent.futures import ProcessPoolExecutor  # for a command only, and not before a page's first picture

    before, given = {*multiprocessing.active_children()}, {name: os.environ.get(name) for name in ONE_THREAD}
    pool = ProcessPoolExecutor(count, multiprocessing.get_context("spawn"), _end_with_parent)
    os.environ.update(ONE_THREAD)  # before they are started: NumPy reads it when it is imported
    try:
        yield pool
    except BaseException:  # an interruption is none of the exceptions, and its processes must not train on
        for process in {*multiprocessing.active_children()} - before:
            process.terminate()
        raise
    finally:
        for name, value in given.items():
            os.environ.pop(name, None) if value is None else os.environ.update({name: value})
        pool.shutdown(cancel_futures=True)


def _end_with_parent() -> None:
    """Has this process end when the one that started it does, which would else leave it waiting for ever."""

    import multiprocessing

    def wait() -> None:
        multiprocessing.parent_process().join()
        os._exit(1)

    threading.Thread(target=wait, name="parent", daemon=True).start()


def _begin(once: threading.Lock, name: str, run: Callable[[], None]) -> None:
    """Starts a thread, unless that was done before."""
    if once.acquire(blocking=False):
        thread = threading.Thread(target=run, name=name, daemon=True)
        # A thread killed inside TensorFlow takes the process down with an abort; so it is let finish what it does.
        atexit.register(_end, thread)
        thread.start()


def _end(thread: threading.Thread) -> None:
    _ending.set()
    _wanted.release()
    thread.join(timeout=30)


def give_way() -> None:
    """Lowers the priority of this thread and of all that it starts, where a thread has its own: hands come first."""
    if hasattr(os, "setpriority"):
        with contextlib.suppress(OSError):
            os.setpriority(os.PRIO_PROCESS, threading.get_native_id(), 10)


def _work() -> None:
    give_way()
    while True:
        _wanted.acquire()
        if _ending.is_set():
            return
        with contextlib.suppress(Exception):  # IndexError: the task was forgotten; else the page meets the error itself
            _tasks.popleft()()


def _load() -> None:
    os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
    try:
        memory.check()
        keras = keras_settings.load()
        import tensorflow as tf

        give_way()  # here TensorFlow starts the threads that compute
        # The runtime's own start, 0.3 s, is paid here too.
        tf.function(lambda x: x + 1, autograph=False)(tf.constant(0.0))
        tf.get_logger().setLevel("ERROR")  # each network is traced once, which it takes for one function traced often
        keep_session(keras)
        gc.collect()
        gc.freeze()  # the million objects of the libraries are not looked at again by every later collection
    except (keras_settings.OtherBackend, memory.TooLittle) as error:
        _failure.append(str(error))
    except Exception as error:  # whatever it is, the page has to say it instead of waiting for ever
        _failure.append(
            f"TensorFlow could not be loaded ({type(error).__name__}: {error}): "
            "run `pip install -r requirements.txt` again in a fresh environment."
        )
    _ready.set()


_tracing = threading.Lock()


@contextlib.contextmanager
def tracing():
    """To be held while a training step is compiled; then TensorFlow forgets what it needed for that only.

    It registers every custom gradient for ever, and with it the graph that it is in, 10 MB a run: Keras's `silu` and its
    optimizers have one. The entry is of use only until that graph's gradients were taken.
    """
    with _tracing:
        yield
        from tensorflow.python.framework import ops

        registered = getattr(getattr(ops, "gradient_registry", None), "_registry", {})  # TensorFlow's own affair
        for name in [name for name in registered if name.startswith("CustomGradient-")]:
            registered.pop(name, None)


def keep_session(keras) -> None:
    """Keeps Streamlit from resetting Keras after every script run.

    It calls `keras.backend.clear_session()` each time, 200 ms, and under a training thread that resets the names and
    seeds of a network being built. `keras.utils.clear_session` stays as it is.
    """
    keras.backend.clear_session = lambda *args, **kwargs: None
