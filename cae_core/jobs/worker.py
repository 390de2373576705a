"""A process that trains, so that several runs are trained side by side; and the app's end of it.

A job's turn, its pauses and the lock of its run's folder stay in the app. What it asks of its trainer and monitor is done
in the process, a step at a time. If that is killed, the run can go on from its last writing; without the app it ends.
"""

import contextlib
import gc
import operator
import os
import pickle
import queue
import signal
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from typing import Any, Self

from cae_core.config import RunConfig
from cae_core.datasets import DATASETS
from cae_core.jobs.job import Lost, sentence
from cae_core.runs import RunError
from cae_core.runtime import keras_settings, process
from cae_core.training import duration
from cae_core.training.events import Diverged
from cae_core.training.monitor import Monitor
from cae_core.training.trainer import Trainer

LOST = (
    "The process that trained this run was ended from outside, or for want of memory. What was written down stays: resume "
    "the run on the Runs page, and it goes on from there."
)


class Worker:
    """The process, started when it is first needed, and again if it was killed."""

    def __init__(self, threads: int) -> None:
        """Args: `threads` are those that TensorFlow may take, unless the environment says it."""
        self._threads = threads
        self._process: subprocess.Popen | None = None
        self._asking = threading.Lock()  # what the disk refused is saved again in whoever's turn it is
        self._dropped: list[str] = []  # what it need not keep any more, to be said with the next question

    def lend(self, trainer: "Trainer | Lent") -> "Lent":
        """Gives it a run whose turn has come; what the disk refused stays with the worker that has it in memory."""
        lent = trainer if isinstance(trainer, Lent) else Lent(trainer)
        lent.worker = lent.worker or self
        return lent

    def ask(self, name: str, what: str, *values: Any) -> tuple[Any, Exception | None, dict[str, Any]]:
        """Has something of a `_Run` called, or read: what it gives, what it raises, and attributes of `Lent` that changed.

        Raises:
            Lost: the process ended, or could not be started.
        """
        with self._asking:
            if self._process is None or self._process.poll() is not None:
                if what != "prepare":
                    raise Lost(LOST)
                self._process = self._start()
            dropped, self._dropped = self._dropped, []
            try:
                pickle.dump((dropped, name, what, values), self._process.stdin)
                self._process.stdin.flush()
                return pickle.load(self._process.stdout)
            except (OSError, EOFError, ValueError, pickle.UnpicklingError) as error:
                self.end()
                raise Lost(LOST) from error

    def drop(self, name: str) -> None:
        """Lets it forget a run."""
        self._dropped.append(name)

    def end(self) -> None:
        """Ends the process at once; what is not written down is lost."""
        if self._process:
            self._process.kill()
            with contextlib.suppress(OSError), self._process:
                pass  # which closes the pipes, and waits

    def _start(self) -> subprocess.Popen:
        threads = dict.fromkeys(("TF_NUM_INTRAOP_THREADS", "TF_NUM_INTEROP_THREADS"), str(self._threads))
        # Another folder than the user's stands there while Keras is being imported here.
        here = {"KERAS_HOME": keras_settings.users_home(), "PYTHONPATH": os.pathsep.join(sys.path)}
        environment = {**threads, **os.environ, **here}
        # A process of `multiprocessing` would run again what it takes for the main program, which is a page.
        command = [sys.executable, "-c", f"from {__name__} import serve; serve()"]
        try:
            return subprocess.Popen(command, env=environment, stdin=subprocess.PIPE, stdout=subprocess.PIPE)
        except OSError as error:
            raise Lost(
                f"The process to train this run could not be started ({error.strerror or error}): close other programs, or "
                "start the app with fewer CAE_WORKERS; then resume the run on the Runs page."
            ) from error


class Lent:
    """A run's trainer and monitor in one, for its job: what they do is done by a worker. At rest they are at home, here."""

    def __init__(self, home: Trainer) -> None:
        self.worker: Worker | None = None
        self.progress: Any = None
        self.last = self.is_at_end = False
        self._home = home
        self._at_rest: Monitor | None = None
        self._is_looked_at = True

    def prepare(self) -> None:
        self._ask("prepare", self._home, self._at_rest)

    def monitor(self) -> Self:
        return self

    def events(self, on_end: Callable[[], None]) -> Iterator[Self]:
        while self._ask("step", self._take_look()):
            yield self
            if self.is_at_end:
                on_end()

    def write(self, state: str) -> None:
        self._ask("trainer.write", state)

    def fail(self, message: str) -> None:
        self._ask("trainer.fail", message)

    def rest(self) -> None:
        self._at_rest, self.worker = self._ask("rest"), None
        self.progress = self._at_rest.progress

    def close(self) -> None:
        if self.worker:
            with contextlib.suppress(Lost):
                self._ask("close")
        self._home.close()

    def discard(self) -> None:
        if self.worker:
            self.worker.drop(self._home.name)
        self._home.discard()

    def look(self) -> None:
        self._is_looked_at = True

    def _take_look(self) -> bool:
        """Whether somebody has looked since it was last asked; who looks while a step is done counts for the next."""
        is_looked_at, self._is_looked_at = self._is_looked_at, False
        return is_looked_at

    def show(self) -> None:
        self._ask("monitor.show")

    def catch_up(self) -> None:
        self._ask("monitor.catch_up")

    def see(self, event: Any) -> None:
        """That was done with the step."""

    def learn(self) -> None:
        config = self._home.config
        if isinstance(config, RunConfig) and (seconds := self._ask("monitor.seconds_per_step")):
            duration.learn(config, DATASETS[config.dataset].image_shape, seconds)

    def let_go(self) -> None:
        """The worker did, when it came to rest."""

    def forget_model(self) -> None:
        self._at_rest = None

    def _ask(self, what: str, *values: Any) -> Any:
        value, error, news = self.worker.ask(self._home.name, what, *values)
        if home := news.pop("home", None):
            self._home.take_over(home)
        vars(self).update(news)
        if error:
            raise error
        return value


class _Run:
    """A run in the process."""

    trainer: Trainer
    monitor: Monitor | None = None
    shown: Any = None  # what the app has

    def prepare(self, trainer: Trainer, earlier: Monitor | None) -> None:
        self.trainer = trainer
        trainer.prepare()
        self.monitor = trainer.monitor()
        if earlier:
            self.monitor.take_over(earlier)
        self.events = trainer.events()

    def step(self, is_looked_at: bool) -> bool:
        """Does one; whether there was any left."""
        if is_looked_at:
            self.monitor.look()
        try:
            event = next(self.events, None)
        except Diverged as error:
            self.monitor.end_at(error)
            raise
        if event is not None:
            self.monitor.see(event)
        return event is not None

    def rest(self) -> Monitor:
        self.trainer.rest()
        self.monitor.let_go()
        return self.monitor

    def close(self) -> None:
        self.trainer.close()

    def news(self, of_all: bool) -> dict[str, Any]:
        news = {"last": bool(self.trainer.last), "is_at_end": bool(self.monitor) and self.monitor.is_at_end}
        if of_all:
            news["home"] = self.trainer
        if self.monitor and self.monitor.progress is not self.shown:
            news["progress"] = self.shown = self.monitor.progress
        return news


def serve() -> None:
    """What the process does: whatever it is asked, until the app is gone."""
    process.set_up()
    answers = os.fdopen(os.dup(1), "wb")
    os.dup2(os.open(os.devnull, os.O_WRONLY), 1)  # what a library prints is no answer
    for each in (signal.SIGINT, signal.SIGTERM):  # a terminal's or a service's goes to all: the app says when to end
        signal.signal(each, signal.SIG_IGN)
    asked: queue.SimpleQueue = queue.SimpleQueue()
    threading.Thread(target=_listen, args=(asked,), daemon=True).start()
    at_work: dict[str, _Run] = {}
    while True:
        dropped, *question = asked.get()
        for name in dropped:
            at_work.pop(name, None)
        with contextlib.suppress(BrokenPipeError):  # the app is gone, and so is this process in a moment
            pickle.dump(answer(at_work, *question), answers)
            answers.flush()


def _listen(asked: queue.SimpleQueue) -> None:
    with contextlib.suppress(Exception):
        while True:
            asked.put(pickle.load(sys.stdin.buffer))
    os._exit(0)  # in whatever it is doing: nobody holds the lock any more


def answer(at_work: dict[str, _Run], name: str, what: str, values: tuple) -> tuple[Any, Exception | None, dict[str, Any]]:
    """Does what is asked of a run, by its name; as of `Worker.ask`."""
    run, value, error = _Run() if what == "prepare" else at_work.get(name), None, None
    if run is None:  # this process is another than the one that had it
        return None, Lost(LOST), {}
    at_work[name] = run
    try:
        asked = operator.attrgetter(what)(run)
        value = asked(*values) if callable(asked) else asked
    except Exception as problem:  # of a kind that the app knows, and TensorFlow's own are none
        error = RunError(str(problem)) if isinstance(problem, RunError) else RuntimeError(sentence(problem))
    news = run.news(of_all=bool(error) or what != "step")
    if what in ("rest", "close") and not error:
        del at_work[name], run
        gc.collect()  # the network and its compiled functions refer to one another
    return value, error, news
