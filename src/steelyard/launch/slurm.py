"""Runs of a sweep as jobs of Slurm, on any machines that share a folder."""

import os
import signal
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager, redirect_stderr
from io import StringIO
from pathlib import Path
from typing import Any

import submitit
from omegaconf import DictConfig

from steelyard.construct import Refused, construct
from steelyard.identity import SWEEP, plain
from steelyard.launch.board import Answer, Board, answer, outcome
from steelyard.run import Done
from steelyard.tracking.record import RunFolder

FOLDER = "slurm"  # below the output folder: what the jobs print
POLL_SECONDS = 1.0  # between two looks at the files of the jobs; Slurm is asked once a minute
N_TIMES = 20  # that a job may be cut off by its time limit, and go on from its checkpoint
RECORD_ALONE = "steelyard.tracking.tracker.Tracker"


class Job:
    """A run as Slurm carries it out."""

    def __init__(self, settings: Mapping[str, Any], sweep: str) -> None:
        self.settings = settings
        self.sweep = sweep

    def __call__(self) -> Answer:
        os.environ[SWEEP] = self.sweep
        return answer(self.settings, lambda *_: None)

    def checkpoint(self) -> submitit.helpers.DelayedSubmission:
        """Returns what goes on in its place; the run's own checkpoint is in its folder."""
        return submitit.helpers.DelayedSubmission(self)


def carry_out(configs: Sequence[DictConfig], board: Board, parameters: Mapping[str, Any]) -> None:
    """Carries out runs as one array of jobs; whatever happens, no job is left behind.

    Where MLflow's database is a file, one machine may write it: the jobs write records alone, and
    a run is shown when its record is there. An MLflow server is told by the jobs themselves.

    Args:
        configs: Of the runs, without Hydra's part.
        board: Told of each run as it ends.
        parameters: Of submitit's executor.

    Raises:
        Refused: Slurm does not take the jobs.
    """
    waiting: dict[submitit.Job[Answer], DictConfig] = {}
    try:
        with _stops_later():  # before their numbers are told, jobs cannot be cancelled
            waiting |= zip(_submitted(configs, parameters), configs, strict=True)
        while waiting:
            for job in [job for job in waiting if job.done()]:
                board.ended(waiting[job], _outcome(job, waiting.pop(job)))
            time.sleep(POLL_SECONDS if waiting else 0)
    finally:
        for job in waiting:
            job.cancel(check=False)


@contextmanager
def _stops_later() -> Iterator[None]:
    """Lets a stop wait for the end of what is done in between.

    Raises:
        KeyboardInterrupt: There was one.
    """
    stops: list[int] = []
    before = {
        each: signal.signal(each, lambda number, _: stops.append(number))
        for each in (signal.SIGINT, signal.SIGTERM)
    }
    try:
        yield
    finally:
        for each, handler in before.items():
            signal.signal(each, handler)
        if stops:
            raise KeyboardInterrupt


def _submitted(
    configs: Sequence[DictConfig], parameters: Mapping[str, Any]
) -> list["submitit.Job[Answer]"]:
    """Returns the jobs of an array.

    Raises:
        Refused: Slurm does not take them.
    """
    folder = Path(configs[0].output).absolute() / FOLDER
    executor = submitit.AutoExecutor(folder, cluster="slurm", slurm_max_num_timeout=N_TIMES)
    executor.update_parameters(**parameters)
    try:
        with redirect_stderr(StringIO()), executor.batch():  # submitit would tell it once more
            return [executor.submit(Job(_recorded(each), os.environ[SWEEP])) for each in configs]
    except (submitit.core.utils.FailedJobError, submitit.core.utils.FailedSubmissionError) as error:
        why = " ".join(str(error).split())
        raise Refused(f"`hydra.launcher` must be options that sbatch takes, got: {why}.") from error


def _recorded(config: DictConfig) -> dict[str, Any]:
    """Returns the settings of a run that writes its record, and nothing else but to a server."""
    settings = plain(config)
    if settings["tracker"].get("tracking_uri"):
        return settings
    seconds = settings["tracker"]["checkpoint_seconds"]
    return {**settings, "tracker": {"_target_": RECORD_ALONE, "checkpoint_seconds": seconds}}


def _outcome(job: "submitit.Job[Answer]", config: DictConfig) -> Done | Exception:
    """Returns what came of a job, which is shown in MLflow if it is a record."""
    try:
        told = outcome(job.result())
        if isinstance(told, Done):
            folder = RunFolder(Path(config.output), told.identity.key)
            tracker = construct(config.tracker)
            tracker.mirror(
                Path(config.output), told.identity, folder.path, told.record, folder.history()
            )
    except submitit.core.utils.UncompletedJobError:
        return RuntimeError(f"its job {job.job_id} ended as {job.state} ({job.paths.stderr})")
    except Exception as error:
        return error
    return told
