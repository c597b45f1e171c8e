"""The company of a population: its members come and go in threads that serve one after another."""

import threading

from steelyard.training.company import Company


class Crew(Company):
    """A company in which a thread that is done with one member may take on the next.

    Args:
        n_members: Runs that are to come.
        size: Room in the stack of their models.
    """

    def come(self) -> None:
        """Is told that a member begins in this thread, which may have served one that has left."""
        with self.met:
            self.gone.discard(threading.get_ident())
