"""A process that carries out runs for another one, one after another."""

import multiprocessing
import os
import signal
import threading
import time
from collections.abc import Mapping
from multiprocessing.connection import Connection
from typing import Any

from steelyard.launch.board import answer
from steelyard.tracking.tracker import Identity

GRACE_SECONDS = 3.0  # for a process that is told to end to say so in MLflow


def work(pipe: "Connection[Any, Any]") -> None:
    """Carries out the runs whose settings a pipe brings, until it is closed.

    Each epoch is sent back as it ends, and last what came of the run. Ctrl-C reaches every
    process of a terminal: it is the parent's, who says SIGTERM.
    """
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    signal.signal(signal.SIGTERM, _stop)
    threading.Thread(target=_end_with_parent, daemon=True).start()

    def tell(identity: Identity, epoch: int, values: Mapping[str, float]) -> None:
        _send(pipe, (identity, epoch, dict(values)))

    try:
        while True:
            _send(pipe, answer(pipe.recv(), tell))
    except (EOFError, OSError, KeyboardInterrupt):
        return


def _send(pipe: "Connection[Any, Any]", told: Any) -> None:
    try:
        pipe.send(told)
    except OSError as error:  # nobody is there: the run did not fail, it is cut off
        raise KeyboardInterrupt from error


def _stop(number: int, frame: Any) -> None:
    raise KeyboardInterrupt


def _end_with_parent() -> None:
    """Ends this process when its parent is no more, even if that was killed."""
    parent = multiprocessing.parent_process()
    if parent is None:
        return
    parent.join()
    os.kill(os.getpid(), signal.SIGTERM)
    time.sleep(GRACE_SECONDS)
    os._exit(1)
