"""What columns are called, and the plain names under which they are inputs and heads."""

import itertools
import re
import unicodedata

from steelyard.data.source import KINDS_OF_INPUT

UNWRITABLE = re.compile(r"\$\{|^\?\?\?$|[\x00-\x1f\x7f-\x9f\u2028\u2029\ufeff]")  # in a YAML file
TRANSLITERATED = str.maketrans({"ä": "ae", "ö": "oe", "ü": "ue", "ß": "ss", "æ": "ae", "ø": "oe"})


def tokens(column: str) -> list[str]:
    """Returns the words of a column's name: `ratingScore_2` has rating, score and 2."""
    return re.findall(r"[a-z]+|\d+", re.sub(r"(?<=[a-z])(?=[A-Z])", " ", column).lower())


class Names:
    """Names of inputs and heads that were given out; `rule` is the key of loss weights."""

    def __init__(self) -> None:
        self.given = {"rule"}

    def of(self, column: str, lead: str, kind: str = "") -> str:
        """Returns a name of a-z, digits and _ for a column.

        Args:
            column: How it is called.
            lead: What its name is, with a number, if no letter of it is left.
            kind: Of an input: a network has encoders by kind, and none must have another's name.
        """
        plain = unicodedata.normalize("NFKD", column.lower().translate(TRANSLITERATED))
        plain = "".join(letter for letter in plain if not unicodedata.combining(letter))
        name = re.sub(r"[^a-z0-9]+", "_", plain).strip("_")
        taken = self.given | {"", *(set(KINDS_OF_INPUT) - {kind} if kind else ())}
        numbered = (f"{name or lead}_{n}" for n in itertools.count(2 if name else 1))
        found = next(each for each in itertools.chain([name], numbered) if each not in taken)
        self.given.add(found)
        return found
