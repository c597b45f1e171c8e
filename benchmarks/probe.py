"""How much of what the best swept loss weights gain over equal ones the probe's weights recover.

    python benchmarks/probe.py                      # nine systems, three seeds: an hour
    python benchmarks/probe.py --only wine --seeds 0

On each study that is committed in `experiments/`, `steelyard probe` is given the study's
configuration, and one run is trained at the weights that it prints, by the commands that a user
types; where the study tunes a learning rate for each setting, one at each of the same rates. The
score is the report's: the mean over the heads of the validation loss over that of the head alone.
What is there already (numbers of a probe, records of runs) is not made again.
"""

import argparse
import math
from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple

import numpy as np

from probe_runs import ROOT, is_there, probed, trained, tuned_of
from steelyard.analysis.probe_tables import override
from steelyard.analysis.study import EQUAL, Study

SYSTEMS = (
    "posts",
    "clothing",
    "clothing_convolutions",
    "clothing_numbers",
    "babi",
    "diamonds",
    "wine",
    "canvas",
    "skin",
)
HEURISTICS = (  # the published example's own weights, and the same on real data
    "age=0.25 income=1 gender=10",
    "age=0.25 class=1 recommended=10",
)
LEAST_GAIN = 0.02  # of a score: below it there is nothing to recover
WANTED, OF_SYSTEMS = 0.8, 0.75
HEAD = """# The probe's loss weights against those of a dense sweep

Made by `python benchmarks/probe.py`. The score is the mean over the heads of the validation loss
over that of the head trained alone, so that 1 is as good as alone, and less is better. Recovered:
the part of the gain from equal weights to the best fixed weights of the committed sweep that the
probe's weights have; over 100 % they are better than any in the sweep. The best of a sweep is
chosen after the fact, on the same validation set and the same seeds.
"""


class Result(NamedTuple):
    """What came of a system."""

    system: str
    weights: list[str]  # of each seed, as on the command line
    equal: float
    probe: float
    best: float
    best_setting: str
    heuristic: float  # NaN where it was not swept
    n_seeds: int

    @property
    def has_gain(self) -> bool:
        """Whether any weights are better than equal ones."""
        return self.equal - self.best > LEAST_GAIN

    @property
    def recovered(self) -> float:
        """The part of the gain that the probe's weights have."""
        return (self.equal - self.probe) / (self.equal - self.best)


def main() -> None:
    """Measures the systems that are asked for, and writes the table."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--only", nargs="+", choices=SYSTEMS, default=list(SYSTEMS))
    parser.add_argument("--seeds", nargs="+", type=int, default=[0, 1, 2])
    parser.add_argument("--there", action="store_true", help="of what is there; train nothing")
    parser.add_argument("--output", type=Path, default=ROOT / "outputs" / "probe")
    parser.add_argument("--result", type=Path, default=Path(__file__).with_suffix(".md"))
    given = parser.parse_args()
    results = []
    for system in given.only:
        seeds = [n for n in given.seeds if not given.there or is_there(system, n, given.output)]
        if not seeds:
            continue
        results.append(result_of(system, seeds, given.output))
        print(line_of(results[-1]), flush=True)
        given.result.write_text(text_of(results), encoding="utf-8")


def result_of(system: str, seeds: Sequence[int], output: Path) -> Result:
    """Returns what came of a system, once its probes and its runs are there."""
    study = Study.read(ROOT / "experiments" / system)
    found = {seed: probed(system, seed, output) for seed in seeds}
    scores = {}
    for tuned in tuned_of(system):
        scores[tuned] = []
        for seed in seeds:
            losses = trained(system, seed, found[seed], tuned, output)
            ratios = [losses[head] / study.reference(head, "valid") for head in study.heads]
            scores[tuned].append(float(np.mean(ratios)))
    places = [study.seeds.index(seed) for seed in seeds]
    swept = {
        setting: float(np.mean(np.array(study.scores(setting))[places])) for setting in study.fixed
    }
    best = min(swept, key=lambda setting: swept[setting])
    return Result(
        system=system,
        weights=list(dict.fromkeys(override(each) for each in found.values())),
        equal=swept[EQUAL],
        probe=min(float(np.mean(each)) for each in scores.values()),  # as each setting has it
        best=swept[best],
        best_setting=best,
        heuristic=next((swept[each] for each in HEURISTICS if each in swept), float("nan")),
        n_seeds=len(seeds),
    )


def line_of(result: Result) -> str:
    """Returns a system's line of the table."""
    heuristic = "-" if np.isnan(result.heuristic) else f"{result.heuristic:.3f}"
    recovered = f"{math.floor(100 * result.recovered)}%" if result.has_gain else "nothing to gain"
    cells = [
        result.system,
        "<br>".join(f"`{each[1:-1]}`" for each in result.weights),
        f"{result.equal:.3f}",
        f"{result.probe:.3f}",
        f"{result.best:.3f} (`{result.best_setting}`)",
        heuristic,
        recovered,
        str(result.n_seeds),
    ]
    return f"| {' | '.join(cells)} |"


def text_of(results: Sequence[Result]) -> str:
    """Returns the whole page."""
    gains = [result for result in results if result.has_gain]
    n_enough = sum(result.recovered >= WANTED for result in gains)
    lines = [
        HEAD,
        "| system | probe's weights | equal | probe | best of sweep | example's own | recovered "
        "| seeds |",
        "|---|---|---:|---:|---:|---:|---:|---:|",
        *map(line_of, results),
        "",
        f"At least {WANTED:.0%} is recovered on {n_enough} of the {len(gains)} systems where any "
        f"weights gain more than {LEAST_GAIN} over equal ones (wanted: {OF_SYSTEMS:.0%} of them).",
    ]
    if any(not result.has_gain for result in results):
        lines[-1] += " Where there is nothing to gain, compare the scores."
    return "\n".join(lines) + "\n"


if __name__ == "__main__":
    main()
