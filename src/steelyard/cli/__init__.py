"""The command line: `steelyard <command>`, each command one small file, imported when named."""

import difflib
import importlib
import os
import sys

from steelyard.cli.errors import one_line
from steelyard.voice import is_unread, say, silence

COMMANDS = {
    "train": "train a run, or sweep over many with -m",
    "probe": "measure a network's heads for 200 steps, and print loss weights to begin with",
    "network": "print the network of a configuration, layer by layer",
    "prepare": "read a study's data, and write down what they are",
    "plan": "list the runs of a study, with their keys",
    "gather": "collect a study's records into one table",
    "report": "say in words, tables and figures which loss weights serve every head",
    "overview": "write the tables of all studies into README",
    "check": "train a few runs of a study again, and compare them with its committed numbers",
    "scan": "multiply each head's loss by 1e-4 to 1e4, and show which methods care about units",
    "predict": "let a finished run answer for the rows of a new file",
    "evaluate": "repeat the test of a finished run from its saved network",
    "explain": "say who dominated a finished run, why, and what would help",
    "cite": "print the BibTeX of what a run used: its method, its data, its encoders",
    "data": "describe a table, or say what is wrong with it, before an hour is spent on it",
    "ui": "open MLflow on this machine",
}
USAGE_ERROR = 2


def usage() -> str:
    """Returns what `steelyard --help` prints."""
    width = max(map(len, COMMANDS))
    lines = [f"  steelyard {name:<{width}}  {what}" for name, what in COMMANDS.items()]
    return "\n".join(
        [
            "steelyard: weighs the losses of networks with several heads.",
            "",
            *lines,
            "",
            "Each has its own --help. Begin with: steelyard train --help",
        ]
    )


def _called(arguments: list[str]) -> int:
    """Runs a command line, and returns its exit code."""
    if not arguments or arguments[0] in {"-h", "--help", "help"}:
        print(usage(), flush=True)
        return 0 if arguments else USAGE_ERROR
    name, rest = arguments[0], arguments[1:]
    if name in COMMANDS:
        return int(importlib.import_module(f"steelyard.cli.{name}").main(rest))
    close = difflib.get_close_matches(name, COMMANDS, n=1)
    hint = f" (did you mean {close[0]!r}?)" if close else ""
    say(f"The command must be one of {', '.join(COMMANDS)}, got {name!r}{hint}.")
    return USAGE_ERROR


def main() -> None:
    """Runs the command that is named first."""
    os.environ.setdefault("MLFLOW_DISABLE_TELEMETRY", "true")
    os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
    try:
        code = _called(sys.argv[1:])
    except KeyboardInterrupt:
        say("Stopped. The same command goes on where this one left off.")
        sys.exit(130)
    except BrokenPipeError:
        if not is_unread(sys.stdout):  # a pipe of some other kind broke the command off
            raise
        silence(sys.stdout)  # its reader has seen enough
        sys.exit(0)
    except Exception as error:
        line = one_line(error)
        if line is None:
            raise
        say(line)
        sys.exit(USAGE_ERROR)
    sys.exit(code)
