"""What is said to the user while work goes on; that nobody listens any more stops no work."""

import os
import sys
from typing import TextIO


def say(text: str) -> None:
    """Prints a line on stderr; where that is closed, this line and all later ones go nowhere."""
    try:
        print(text, file=sys.stderr, flush=True)
    except OSError:
        silence(sys.stderr)


def silence(stream: TextIO) -> None:
    """Sends what is printed on a stream nowhere, from now on."""
    os.dup2(os.open(os.devnull, os.O_WRONLY), stream.fileno())


def is_unread(stream: TextIO) -> bool:
    """Returns whether a stream is a pipe whose reader is no more."""
    try:
        stream.flush()
    except BrokenPipeError:
        return True
    return False
