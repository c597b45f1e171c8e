"""Where runs of a sweep are carried out: beside each other, in other processes, or by Slurm."""
