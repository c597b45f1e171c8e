"""`steelyard network`: the network that a configuration describes, layer by layer, counted."""

import json
import os
import sys
from collections.abc import Sequence

from rich.console import Console

from steelyard.cli.compose import composed, composing
from steelyard.cli.validate import validate, without_hydra
from steelyard.construct import Refused, construct
from steelyard.identity import plain, source_of
from steelyard.run import prepare

WHAT = """usage: steelyard network [group=choice] [key=value] ...

Prints the network of a configuration, layer by layer, with its parameters; nothing is trained.
  steelyard network model=posts
  steelyard network data=diamonds model=shared_trunk
The same as: steelyard train --cfg model ..."""
WIDTH = 100


def main(arguments: Sequence[str]) -> int:
    """Prints a network, and returns the exit code."""
    if {"-h", "--help"} & set(arguments):
        print(WHAT)
        return 0
    with composing():
        whole = composed(arguments)
    config = without_hydra(whole)
    validate(config, whole.hydra)
    source = source_of(json.dumps(plain(config.data)))
    prepare(source)
    construct(config.runtime).prepare()
    try:
        network = construct(config.model).build(source.inputs, source.tasks)
    except ValueError as error:
        raise Refused(str(error)) from error
    if not sys.stdout.isatty():
        os.environ.setdefault("COLUMNS", str(WIDTH))  # a pipe has no width of its own
    network.summary(line_length=WIDTH)
    console = Console(highlight=False, width=WIDTH)
    for each in source.inputs:
        size = f", {each.vocabulary:,} levels" if each.vocabulary else ""
        console.print(f" input {each.name}: {each.kind} {list(each.shape)}{size}")
    for task in source.tasks:
        console.print(f" head {task.name}: {task.kind}, {task.width} wide, {task.keras_loss}")
    console.print(f" {network.count_params():,} parameters")
    return 0
