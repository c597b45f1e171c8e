"""`steelyard prepare`: reads a study's data, and writes down what they are."""

import json
from collections.abc import Sequence
from typing import Any

from steelyard.cli.compose import composed, composing
from steelyard.cli.study import DATA, folder_of, named_study, write_json
from steelyard.cli.validate import validate, without_hydra
from steelyard.data.source import SPLITS
from steelyard.identity import plain, source_of
from steelyard.run import prepare
from steelyard.training.describe import describe, digest

WHAT = "Reads a study's data, downloads what is missing, and writes experiments/<study>/data.json."


def main(arguments: Sequence[str]) -> int:
    """Writes what the data of a study are, and returns the exit code."""
    study = named_study("prepare", WHAT, arguments).study
    with composing():
        whole = composed([f"experiment={study}"])
    config = without_hydra(whole)
    validate(config, whole.hydra)
    source = source_of(json.dumps(plain(config.data)))
    prepare(source)
    splits = {split: source.load(split) for split in SPLITS}
    tasks = source.tasks
    about: dict[str, Any] = {
        "digest": digest(splits),
        "inputs": {each.name: [each.kind, *each.shape] for each in source.inputs},
        "tasks": {
            task.name: {"kind": task.kind, "unit": task.unit, "classes": list(task.classes)}
            for task in tasks
        },
        "splits": {split: describe(tasks, splits[split], splits["train"]) for split in SPLITS},
    }
    if hasattr(source, "ceilings"):  # made-up data, of which the truth is known
        about["ceilings"] = source.ceilings
    path = folder_of(study) / DATA
    write_json(path, about)
    sizes = ", ".join(f"{split} {about['splits'][split]['examples']}" for split in SPLITS)
    print(f"{sizes}: {path}")
    return 0
