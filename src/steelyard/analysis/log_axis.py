"""Ticks of a logarithmic axis, as people write numbers: 0.5, 1, 2, 5, 10."""

from matplotlib.axis import Axis
from matplotlib.ticker import LogLocator, NullFormatter, StrMethodFormatter


def write_plainly(axis: Axis) -> None:
    """Sets the ticks of a logarithmic axis."""
    axis.set_major_locator(LogLocator(subs=(1, 2, 5)))
    axis.set_major_formatter(StrMethodFormatter("{x:g}"))
    axis.set_minor_formatter(NullFormatter())
