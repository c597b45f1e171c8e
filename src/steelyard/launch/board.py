"""Who is told of runs that are carried out elsewhere, and what can be told."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any, NamedTuple, Protocol

from omegaconf import DictConfig, OmegaConf

from steelyard.construct import Refused
from steelyard.run import Done, Failed, Watch, run
from steelyard.tracking.tracker import Identity
from steelyard.training.company import Company


class Board(Protocol):
    """Is told how the runs of a sweep go, wherever they are carried out.

    A lane is one of the places where runs go on at the same time.
    """

    def begin(self, config: DictConfig, lane: int = 0) -> None:
        """Is told that a run begins."""

    def epoch(
        self, identity: Identity, epoch: int, values: Mapping[str, float], lane: int = 0
    ) -> None:
        """Is told of an epoch."""

    def ended(self, config: DictConfig, outcome: Done | Exception) -> None:
        """Is told what came of a run: its record, or what broke it off."""


class Broken(NamedTuple):
    """A run that broke off, in words: not every error can be sent to another process."""

    why: str
    traceback: str = ""  # where it is; empty where there is none
    is_refused: bool = False

    def error(self) -> Exception:
        """Returns the error that says the same."""
        if self.is_refused:
            return Refused(self.why)
        return Failed(self.why, Path(self.traceback)) if self.traceback else RuntimeError(self.why)


Answer = Done | Broken


def answer(settings: Mapping[str, Any], watch: Watch, company: Company | None = None) -> Answer:
    """Carries out a run, and returns what can be sent of what came of it.

    Args:
        settings: The composed configuration, as plain containers.
        watch: Told of each epoch as it ends.
        company: The runs beside it, if there are any.
    """
    try:
        return run(OmegaConf.create(dict(settings)), watch, company)
    except Failed as error:
        return Broken(error.why, traceback=str(error.traceback))
    except Exception as error:
        return Broken(" ".join(str(error).split()), is_refused=isinstance(error, Refused))


def outcome(told: Answer) -> Done | Exception:
    """Returns what a board is told of an answer."""
    return told.error() if isinstance(told, Broken) else told
