"""Where runs of a sweep are carried out, if not in the process of the command."""
