"""Command lines: what cannot be read is refused in one line, as every error of a user's is."""

import argparse
from typing import NoReturn

from steelyard.construct import Refused


class Parser(argparse.ArgumentParser):
    """Reads the options of a command."""

    def error(self, message: str) -> NoReturn:
        """Refuses a command line.

        Raises:
            Refused: Always.
        """
        raise Refused(f"{self.prog}: {message} (its options: {self.prog} --help).")
