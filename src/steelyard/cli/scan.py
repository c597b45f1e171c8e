"""`steelyard scan`: multiplies each head's loss, and shows which methods care about units."""

import hashlib
import json
import signal
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from hydra.core.global_hydra import GlobalHydra
from hydra.utils import instantiate
from omegaconf import DictConfig

from hydra_plugins.steelyard.elsewhere import Elsewhere
from steelyard.cli.compose import composed, composing
from steelyard.cli.scan_points import STUDY, Setting, parsed, settings_of
from steelyard.cli.train import Runs
from steelyard.cli.validate import without_hydra
from steelyard.construct import Refused
from steelyard.data.rescaled import share
from steelyard.identity import plain, source_of
from steelyard.run import Done
from steelyard.task import HEADLINE
from steelyard.tracking.record import RunFolder
from steelyard.tracking.run_key import BESIDE
from steelyard.tracking.tracker import Identity
from steelyard.voice import say

FOLDER = "scans"
OURS = "hydra_plugins.steelyard."


class Scanning(Runs):
    """The runs of a scan, which are named by their points too."""

    def __init__(self, name: str, command: str, settings: Sequence[Setting]) -> None:
        super().__init__(name, command, len(settings))
        self.labels = {each.key: each.label for each in settings}

    def epoch(
        self, identity: Identity, epoch: int, values: Mapping[str, float], lane: int = 0
    ) -> None:
        super().epoch(self._labelled(identity), epoch, values, lane)

    def ended(self, config: DictConfig, outcome: Done | Exception) -> None:
        if isinstance(outcome, Done):
            outcome = outcome._replace(identity=self._labelled(outcome.identity))
        super().ended(config, outcome)

    def _labelled(self, identity: Identity) -> Identity:
        return identity._replace(name=self.labels.get(identity.key, identity.name))


def main(arguments: Sequence[str]) -> int:
    """Carries out a scan, writes its answer, and returns the exit code."""
    given = parsed(arguments)
    with composing():
        whole = composed([STUDY, *given.overrides])
        launcher = _launcher(whole)
        settings = settings_of(given, whole, GlobalHydra.instance().config_loader())
    command = " ".join(["steelyard scan", *arguments])
    name = _name_of(settings)
    runs = Scanning(name, command, settings)
    signal.signal(signal.SIGTERM, _stop)
    try:
        _carry_out(settings, runs, launcher)
    finally:
        runs.close()
    if runs.refusals and len(runs.refusals) == len(runs.failures) and not runs.done:
        raise runs.refusals[0]
    return _tell(settings, Path(given.output) / FOLDER / name, command)


def _launcher(whole: DictConfig) -> Elsewhere:
    """Returns what carries the runs out: a launcher of the project's, which takes them composed.

    Raises:
        Refused: It is another one, or its knobs are out of range.
    """
    if not whole.hydra.launcher["_target_"].startswith(OURS):
        choice = whole.hydra.runtime.choices["hydra/launcher"]
        raise Refused(
            f"`hydra/launcher` must be population, parallel or slurm for a scan, got {choice!r}."
        )
    launcher: Elsewhere = instantiate(whole.hydra.launcher)
    launcher.check()
    return launcher


def _is_of_run(override: str) -> bool:
    """Returns whether an override is of what is trained, and not of Hydra."""
    return not override.lstrip("+~").startswith(("hydra.", "hydra/"))


def _name_of(settings: Sequence[Setting]) -> str:
    """Returns the name of a scan: the same for the same runs, wherever they are shown."""
    told = []
    for each in settings:
        config = plain(without_hydra(each.config))
        told.append({name: config[name] for name in config if name not in BESIDE})
    return hashlib.sha256(json.dumps(told, sort_keys=True).encode()).hexdigest()[:8]


def _carry_out(settings: Sequence[Setting], runs: Scanning, launcher: Elsewhere) -> None:
    """Carries out the runs of factor 1, which an ordinary sweep shares, and then the others."""
    launcher.runs = runs
    launcher.composed = {(each.key,): each.config for each in settings}
    first = [each for each in settings if not each.head]
    for data in dict.fromkeys(json.dumps(plain(each.config.data)) for each in first):
        share(source_of(data))  # read once, by these runs
    launcher.launch([(each.key,) for each in first], 0)
    if runs.done or len(runs.refusals) < len(runs.failures):  # or else the data cannot be had
        rest = [(each.key,) for each in settings if each.head]
        launcher.launch(rest, len(first))


def _tell(settings: Sequence[Setting], folder: Path, command: str) -> int:
    """Writes and prints the answer of a scan, and returns the exit code."""
    from steelyard.analysis import scan, scan_report  # noqa: PLC0415  pictures take a second

    config = settings[0].config
    tasks = source_of(json.dumps(plain(config.data))).tasks
    measures = {task.name: HEADLINE[task.kind] for task in tasks}
    points = [
        scan.Point(*each[:4], each.key, RunFolder(Path(config.output), each.key).last())
        for each in settings
    ]
    found = scan.Scan(measures=measures, points=scan.rows_of(points, measures))
    scan_report.write(found, folder, command)
    print("\n".join(scan_report.verdicts(found)))
    for doubt in filter(None, map(found.doubt, found.methods)):
        print(f"Cannot be said: {doubt}.")
    for setting, point in zip(settings, points, strict=True):
        record = point.record or {"status": "failed", "error": "it left no record"}
        if record["status"] == "failed":
            say(f"failed: {setting.label} ({point.run_key}): {record['error']}")
    print(f"The answer: {folder / scan_report.PAGE} (and {scan_report.FIGURE} beside it)")
    return 1 if (found.broken["status"] == "failed").any() else 0


def _stop(number: int, frame: Any) -> None:
    raise KeyboardInterrupt
