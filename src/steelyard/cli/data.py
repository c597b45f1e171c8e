"""`steelyard data`: describes a table, or says what is wrong with it before it is trained on."""

from collections.abc import Sequence

from steelyard.cli.data_check import check
from steelyard.cli.data_describe import describe
from steelyard.cli.parser import Parser
from steelyard.construct import Refused

DESCRIBE = """Says what the columns of a table seem to be, and writes a configuration that can be
trained on as it is. Everything in it is a guess, to be read and put right."""
CHECK = "Reads data as training would, and says what is wrong or doubtful about them."


def main(arguments: Sequence[str]) -> int:
    """Describes or checks, and returns the exit code."""
    parser = Parser(prog="steelyard data", description=__doc__)
    commands = parser.add_subparsers(dest="command", required=True, metavar="describe|check")
    one = commands.add_parser("describe", description=DESCRIBE, help="what a table seems to hold")
    one.add_argument("file", help="a .csv, .tsv or .parquet file")
    one.add_argument("--separator", help="what stands between two columns; else guessed")
    one.add_argument("--heads", help="columns to predict: a,b,c; else guessed")
    one.add_argument("--output", help="what to write (data/<name of the table>.yaml)")
    one.add_argument("--force", action="store_true", help="overwrite it")
    other = commands.add_parser("check", description=CHECK, help="what is wrong with data")
    other.add_argument("choice", help="a choice of data=, or a .yaml file made by describe")
    other.add_argument("--config-dir", help="a folder of your own with data/<choice>.yaml")
    other.usage = "steelyard data check [--config-dir DIR] choice [data.split.seed=1 ...]"
    given, more = parser.parse_known_args(list(arguments))
    if given.command == "check" and not any(word.startswith("-") for word in more):
        return check(given.choice, given.config_dir, more)
    if more:
        parser.error(f"unrecognized arguments: {' '.join(more)}")
    try:
        return describe(given)
    except ValueError as error:
        raise Refused(str(error)) from error
