"""`steelyard train`: a run, or with -m a sweep over many."""

import hashlib
import json
import os
import signal
import sys
from collections.abc import Mapping, Sequence
from contextlib import suppress
from pathlib import Path
from typing import Any

import hydra
from hydra.core.hydra_config import HydraConfig
from omegaconf import DictConfig
from rich.console import Console
from rich.markup import escape
from rich.table import Table

from hydra_plugins.steelyard.arms import RUNS
from steelyard.cli import network
from steelyard.cli.compose import arranged, conf
from steelyard.cli.progress import Watching
from steelyard.cli.validate import validate
from steelyard.construct import Refused, construct
from steelyard.identity import SWEEP, identify, plain, source_of
from steelyard.run import Done, Failed, run
from steelyard.task import HEADLINE
from steelyard.tracking.tracker import Identity
from steelyard.voice import say

SHOWING_FLAGS = {"--cfg", "-c", "--info", "-i"}
SWEEP_FLAGS = {"-m", "--multirun"}
LAUNCHER = ("hydra/launcher=", "hydra.launcher.")  # where the runs go, which makes no other sweep


class Runs:
    """The runs of one command."""

    def __init__(self, sweep: str, command: str, n_runs: int = 0) -> None:
        self.sweep = sweep  # its name; empty for a run by itself
        self.command = command
        self.n_runs = n_runs  # 0 where the sweeper says it
        os.environ[SWEEP] = sweep
        self.done: list[Done] = []
        self.failures: list[tuple[str, str, str]] = []  # run, why, traceback
        self.refusals: list[Refused] = []
        self.watching: Watching | None = None
        self.config: DictConfig | None = None
        self.error: Exception | None = None  # of a run by itself

    def task(self, config: DictConfig) -> None:
        """Carries out one run; in a sweep, a failure is written down and the next run begins.

        Nothing is raised into Hydra, which would print its own account of it.
        """
        try:
            self.begin(config)
            done = run(config, self.epoch)
        except Exception as error:
            if self.sweep and self.watching is not None:
                self._fail(config, error)
            else:
                self.error = error
            return
        self.ended(config, done)

    def begin(self, config: DictConfig, lane: int = 0) -> None:
        """Is told that a run begins, here or elsewhere; several that go at a time have lanes."""
        self.open(config)
        assert self.watching is not None
        self.watching.begin(config.training.epochs, lane)

    def epoch(
        self, identity: Identity, epoch: int, values: Mapping[str, float], lane: int = 0
    ) -> None:
        """Is told of an epoch."""
        assert self.watching is not None
        self.watching.epoch(identity, epoch, values, lane)

    def ended(self, config: DictConfig, outcome: Done | Exception) -> None:
        """Is told what came of a run: its record, or what broke it off."""
        assert self.watching is not None
        if isinstance(outcome, Exception):
            self._fail(config, outcome)
            return
        self.done.append(outcome)
        self.watching.done(outcome)

    def arrange(self, order: Sequence[Identity]) -> None:
        """Puts the runs in the order of the sweep, whichever ended first."""
        places = {each.key: n for n, each in enumerate(order)}
        by_name = {each.name: n for n, each in enumerate(order)}
        self.done.sort(key=lambda done: places.get(done.identity.key, -1))
        self.failures.sort(key=lambda failure: by_name.get(failure[0], -1))

    def open(self, config: DictConfig) -> None:
        """Begins with the first run: what is checked of a sweep was checked by its sweeper."""
        if self.watching is not None:
            return
        if not self.sweep:
            validate(config, HydraConfig.get())
        self.config = config
        self.watching = Watching(self.n_runs or int(os.environ.get(RUNS, "1")))
        self.watching.__enter__()
        if self.sweep:
            tracker = construct(config.tracker)
            tracker.begin_sweep(Path(config.output), config.study, self.sweep, self.command)

    def _fail(self, config: DictConfig, error: Exception) -> None:
        assert self.watching is not None
        settings = plain(config)
        name = identify(settings, source_of(json.dumps(settings["data"]))).name
        if isinstance(error, Refused):
            self.refusals.append(error)
        if isinstance(error, Failed):
            why, where = error.why, str(error.traceback)
        else:
            why, where = " ".join(str(error).split()), ""
        self.failures.append((name, why, where))
        self.watching.failed(name, why)

    def close(self) -> None:
        """Ends the sweep where it is mirrored, and takes the bars away.

        An error that is on its way through the caller has cut the sweep off.
        """
        if self.watching is not None:
            self.watching.__exit__(None, None, None)
        if self.sweep and self.config is not None:
            rows: list[dict[str, Any]] = [row_of(done) for done in self.done]
            for name, why, _ in self.failures:
                rows.append({"name": name, "status": "failed", "error": why})
            tracker = construct(self.config.tracker)
            place = (Path(self.config.output), self.config.study, self.sweep)
            tracker.end_sweep(*place, rows, was_cut_off=sys.exception() is not None)


def main(arguments: Sequence[str]) -> int:
    """Trains what the arguments describe, and returns the exit code."""
    for flag in ("--cfg", "-c"):
        if flag in arguments and arguments[arguments.index(flag) + 1 :][:1] == ["model"]:
            n = arguments.index(flag)
            return network.main([*arguments[:n], *arguments[n + 2 :]])
    words = arranged(arguments)
    is_sweep = bool(SWEEP_FLAGS & set(words))
    shown = sorted(SHOWING_FLAGS & set(words))
    if is_sweep and shown:
        raise Refused(f"`{shown[0]}` must stand without -m, for it shows one run, got both.")
    command = " ".join(["steelyard train", *arguments])
    name = _name_of(words) if is_sweep else ""
    runs = Runs(name, command)
    os.environ["HYDRA_FULL_ERROR"] = "1"  # errors come to us as they are, and are told in one line
    signal.signal(signal.SIGTERM, _stop)

    entry = hydra.main(version_base="1.3", config_path=str(conf()), config_name="config")
    before, sys.argv = sys.argv, ["steelyard train", *words]
    try:
        entry(runs.task)()
    finally:
        sys.argv = before
        runs.close()
    if isinstance(runs.error, Failed):
        say(f"failed: {runs.error}")
        return 1
    if runs.error:
        raise runs.error
    if runs.refusals and len(runs.refusals) == len(runs.failures) and not runs.done:
        raise runs.refusals[0]
    with suppress(SystemExit):  # which is what Rich raises where nobody reads on
        tell(runs)
    return 1 if runs.failures else 0


def _name_of(words: Sequence[str]) -> str:
    """Returns the name of the sweep that a command line describes."""
    told = sorted(word for word in words if not word.startswith(LAUNCHER))
    return hashlib.sha256("\n".join(told).encode()).hexdigest()[:8]


def _stop(number: int, frame: Any) -> None:
    raise KeyboardInterrupt


def row_of(done: Done) -> dict[str, Any]:
    """Returns what a table says of a run."""
    record = done.record
    kinds = {
        f"{head}/{measure}" for head in record["loss_weights"] for measure in HEADLINE.values()
    }
    told = {f"test/{name}": record["test"][name] for name in record["test"] if name in kinds}
    score = record["best"].get("score")
    return {"name": done.identity.name, "status": record["status"], "best/score": score, **told}


def tell(runs: Runs) -> None:
    """Prints the runs as a table, the failures as another, and where to look next."""
    if not runs.config:
        return
    out = Console(width=None if sys.stdout.isatty() else 160, highlight=False)
    rows = [row_of(done) for done in runs.done]
    if rows:
        names = list(dict.fromkeys(name for row in rows for name in row))
        table = Table(box=None, header_style="bold", title_justify="left")
        for name in names:
            table.add_column(name, justify="left" if name in {"name", "status"} else "right")
        for row in rows:
            table.add_row(*(_cell(row.get(name)) for name in names))
        out.print(table)
    n_new = sum(done.is_new for done in runs.done)
    n_old = len(runs.done) - n_new
    text = f"{n_new} trained, {n_old} were there already, {len(runs.failures)} failed."
    n_diverged = sum(done.record["status"] == "diverged" for done in runs.done)
    text += f" Of these {n_diverged} diverged." if n_diverged else ""
    out.print(text if n_new else f"Nothing to train: {text}")
    if runs.failures:
        table = Table(box=None, header_style="bold")
        for name in ("failed", "why", "traceback"):
            table.add_column(name, overflow="fold")
        for failure in runs.failures:
            table.add_row(*map(escape, failure))
        out.print(table)
    output = runs.config.output
    out.print(f"Records: {output}/runs. Compare them with: steelyard ui", markup=False)


def _cell(value: Any) -> str:
    return "" if value is None else value if isinstance(value, str) else f"{value:.4f}"
