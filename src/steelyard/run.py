"""One run, from its configuration to its record: the whole pipeline on one screen."""

import json
import threading
import time
import traceback
from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import asdict
from pathlib import Path
from typing import Any, NamedTuple

from omegaconf import DictConfig, OmegaConf

from steelyard.arrays import Array
from steelyard.construct import Refused, construct
from steelyard.data.source import Source
from steelyard.identity import described, identify, plain, source_of
from steelyard.task import Task
from steelyard.tracking import curves
from steelyard.tracking.record import NETWORK, TRACEBACK, RunFolder
from steelyard.tracking.tracker import Identity, Tracker
from steelyard.training.company import Company
from steelyard.voice import say

_reading = threading.Lock()  # runs that train together share their examples
_desk = threading.RLock()  # what is written and drawn, a run at a time: they may train together
Watch = Callable[[Identity, int, dict[str, float]], None]


class Failed(RuntimeError):  # noqa: N818  it is an answer, not a fault
    """A run that broke off; its traceback is in its folder."""

    def __init__(self, why: str, traceback: Path) -> None:
        super().__init__(f"{why} ({traceback})")
        self.why = why
        self.traceback = traceback


class Done(NamedTuple):
    """A run that is over."""

    identity: Identity
    record: dict[str, Any]
    is_new: bool  # whether it was trained just now


def run(config: DictConfig, watch: Watch, company: Company | None = None) -> Done:
    """Carries out a run, unless its record is there already.

    Args:
        config: The composed configuration.
        watch: Told of each epoch as it ends.
        company: The runs beside it, if there are any.

    Raises:
        Refused: The data cannot be had or used; nothing is recorded.
        Failed: Something went wrong; it is recorded, with its traceback.
    """
    company = company or Company()
    settings = plain(config)
    source = source_of(json.dumps(settings["data"]))
    identity = identify(settings, source)
    output = Path(config.output)
    tracker: Tracker = construct(config.tracker)
    folder = RunFolder(output, identity.key)
    if folder.record() is None:
        with _reading:
            prepare(source)
    with company.holding(folder.lock()):
        ended = folder.record()
        if ended is not None:
            with _desk:
                tracker.mirror(output, identity, folder.path, ended, folder.history())
            return Done(identity, ended, is_new=False)
        folder.begin(OmegaConf.to_yaml(OmegaConf.create(settings)))
        if folder.drop_broken_checkpoint():
            say(f"{identity.name}: its checkpoint cannot be read, and it begins anew.")
        record = {**described(identity, settings), "status": "failed"}
        with _desk:
            watcher = tracker.begin(output, identity, settings)

        def report(epoch: int, values: dict[str, float]) -> None:
            with _desk:
                watcher.log(epoch, values)
                watch(identity, epoch, values)

        began = time.monotonic()
        try:
            tasks = [asdict(task) for task in source.tasks]
            folder.keep_fitted({"inputs": source.fitted, "tasks": tasks})
            outcome = _carry_out(
                config, source, folder, tracker.checkpoint_seconds, report, company
            )
            with _desk:
                outcome.network.save(folder.path / NETWORK)
                curves.draw(outcome.history, list(source.task_names), folder.path / "curves.png")
        except BaseException as error:
            was_stopped = isinstance(error, KeyboardInterrupt | SystemExit)
            record["error"] = " ".join(f"{type(error).__name__}: {error}".split())
            if not was_stopped:
                with suppress(OSError):  # of a disk that is full; what broke the run says more
                    folder.fail(record, traceback.format_exc())
            with _desk:
                watcher.end("killed" if was_stopped else "failed", record, folder.path)
            if was_stopped:
                raise
            raise Failed(str(record["error"]), folder.path / TRACEBACK) from error
        record |= {**outcome.facts, "status": outcome.status}
        record["seconds"] = round(time.monotonic() - began, 1)
        folder.end(record, outcome.history)
        with _desk:
            watcher.end(outcome.status, record, folder.path)
        return Done(identity, record, is_new=True)


def _carry_out(
    config: DictConfig,
    source: Source,
    folder: RunFolder,
    checkpoint_seconds: float,
    report: Callable[[int, dict[str, float]], None],
    company: Company,
) -> Any:
    """Returns what came of training; everything heavy is imported here."""
    construct(config.runtime).prepare()
    from steelyard.training.pipeline import Parts, carry_out  # noqa: PLC0415  after the threads are set

    parts = Parts(
        source=source,
        network=construct(config.model),
        weighting=construct(config.weighting),
        balance=construct(config.balance),
        optimizer=optimizer_of(plain(config.optimizer)),
        recipe=construct(config.training),
        loss_weights=plain(config.loss_weights),
        seeds=construct(config.seeds).drawn_from(config.seed),
    )
    return carry_out(parts, folder.path, checkpoint_seconds, report, company)


def optimizer_of(settings: Mapping[str, Any]) -> Any:
    """Returns the optimizer that settings describe."""
    # Keras takes a learning rate of 1.0 and refuses one of 1.
    rates = {name: float(settings[name]) for name in ["learning_rate"] if name in settings}
    return construct({**settings, **rates})


def prepare(source: Source) -> None:
    """Reads and prepares the examples.

    Raises:
        Refused: They cannot be had, or cannot be used.
    """
    try:
        train = source.splits["train"]
        for task in source.tasks:
            _check_varies(task, train.targets[task.name])
    except ValueError as error:
        raise Refused(str(error)) from error


def _check_varies(task: Task, targets: Array) -> None:
    """Refuses a head whose training targets [N, ...] are all the same: there is nothing to learn.

    Raises:
        ValueError: They are.
    """
    known = targets[~task.is_missing(targets)]
    if len(known) > 1 and (known == known[0]).all():
        raise ValueError(
            f"`{task.name}` must have different targets in train, got {known[0]} for each of "
            f"{len(known)} examples."
        )
