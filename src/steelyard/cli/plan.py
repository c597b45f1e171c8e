"""`steelyard plan`: lists the runs of a study with their keys; only what changed is trained."""

import json
from collections.abc import Sequence

from steelyard.cli.study import PLAN, folder_of, jobs, named_study, write_json
from steelyard.identity import identify, plain, source_of

WHAT = "Lists the runs of a study, with their keys, in experiments/<study>/plan.json."


def main(arguments: Sequence[str]) -> int:
    """Writes the plan of a study, and returns the exit code."""
    study = named_study("plan", WHAT, arguments).study
    rows = []
    for job in jobs(study):
        settings = plain(job.config)
        identity = identify(settings, source_of(json.dumps(settings["data"])))
        rows.append(
            {
                "run_key": identity.key,
                "setting": identity.tags["setting"],
                "seed": settings["seed"],
                "overrides": job.overrides,
                **job.marks,
            }
        )
    path = folder_of(study) / PLAN
    write_json(path, {"study": study, "runs": rows})
    n_settings = len({row["setting"] for row in rows})
    print(f"{len(rows)} runs of {n_settings} settings: {path}")
    return 0
