"""What half a precision costs and gains: the study posts at its recommended weights, both ways.

    python benchmarks/precision.py

Each run is trained in float32 and in mixed_bfloat16, in turns, one at a time. Both have traced
their step before the clock starts; the time is that of a run, with its validation and records.
"""

import argparse
import statistics
import tempfile
from pathlib import Path

import sweeping
from steelyard.cli.compose import composed, composing
from steelyard.cli.validate import without_hydra
from steelyard.run import run
from steelyard.training.recipe import PRECISIONS

RESULT = Path(__file__).with_suffix(".md")
WEIGHTS = "loss_weights={age:0.003,income:1.5,gender:1}"
MEASURES = ("age/r2", "income/accuracy", "gender/auc", "score")


def main() -> None:
    """Trains the runs, and writes a table."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seeds", type=int, default=3)
    parser.add_argument("--epochs", type=int, default=12, help="of a run; the study's are 12")
    options = parser.parse_args()
    machine = sweeping.machine()
    rows: dict[str, list[dict[str, float]]] = {each: [] for each in PRECISIONS}
    with tempfile.TemporaryDirectory() as folder:
        for seed in range(-1, options.seeds):  # the first of each is for tracing
            for precision in PRECISIONS:
                row = trained(
                    Path(folder), precision, max(seed, 0) + 10 * (seed < 0), options.epochs
                )
                if seed >= 0:
                    rows[precision].append(row)
                    print(precision, seed, row, flush=True)
    write(rows, options.epochs, machine)


def trained(folder: Path, precision: str, seed: int, epochs: int) -> dict[str, float]:
    """Returns the measures of a run on the test, and its seconds."""
    words = ["experiment=posts", WEIGHTS, f"training.precision={precision}", f"seed={seed}"]
    words += [f"training.epochs={epochs}", "tracker=record", f"output={folder}"]
    with composing():
        config = without_hydra(composed(words))
    record = run(config, lambda *_: None).record
    values = {**record["test"], "score": record["best"]["score"]}
    return {**{name: values[name] for name in MEASURES}, "seconds": record["seconds"]}


def write(rows: dict[str, list[dict[str, float]]], epochs: int, machine: str) -> None:
    """Writes the means over the seeds, and the largest difference between the precisions."""
    names = [*MEASURES, "seconds"]
    lines = [
        "# What half a precision costs and gains",
        "",
        f"Written by `python benchmarks/precision.py`. The study `posts` at `{WEIGHTS}`, {epochs} "
        f"epochs, {len(rows['float32'])} seeds; test split, the score on validation. {machine}",
        "",
        "| precision | " + " | ".join(names) + " |",
        "|---|" + "---:|" * len(names),
    ]
    for precision, found in rows.items():
        means = [statistics.mean(row[name] for row in found) for name in names]
        lines.append(f"| {precision} | " + " | ".join(f"{mean:.3f}" for mean in means) + " |")
    pairs = list(zip(*rows.values(), strict=True))
    gaps = [statistics.mean(half[name] - whole[name] for whole, half in pairs) for name in names]
    spread = [statistics.stdev(row[name] for row in rows["float32"]) for name in names]
    lines.append("| difference, by seed | " + " | ".join(f"{gap:+.3f}" for gap in gaps) + " |")
    lines.append(
        "| deviation over seeds, float32 | " + " | ".join(f"{s:.3f}" for s in spread) + " |"
    )
    RESULT.write_text("\n".join([*lines, ""]), encoding="utf-8")


if __name__ == "__main__":
    main()
