"""Sweeps as jobs of Slurm, as far as a machine without it shows: with stand-ins of its commands."""

import json
import signal
import sys
from pathlib import Path

import pytest

from hydra_plugins.steelyard.slurm import SlurmConfig, SlurmLauncher
from tests.cli.commands import TINY, called, finished

SWEEP = ("train", "-m", *TINY, "tracker=record", "seed=0,1,2", "hydra/launcher=slurm")
SBATCH = f"""#!{sys.executable}
import os, re, subprocess, sys

text = open(sys.argv[1]).read()
print("Submitted batch job 7")
for n in range(int(re.search(r"--array=0-(\\d+)", text)[1]) + 1):
    if n == int(os.environ.get("LOST", -1)):
        continue
    told = {{
        "JOB_ID": f"{{100 + n}}", "ARRAY_JOB_ID": "7", "ARRAY_TASK_ID": f"{{n}}", "NTASKS": "1",
        "JOB_NUM_NODES": "1", "NODEID": "0", "PROCID": "0", "LOCALID": "0", "JOB_NODELIST": "here",
    }}
    variables = {{f"SLURM_{{name}}": value for name, value in told.items()}}
    nowhere = subprocess.DEVNULL
    subprocess.Popen(
        ["bash", "-c", text], env={{**os.environ, **variables}}, stdout=nowhere, stderr=nowhere
    )
"""
SRUN = f"""#!{sys.executable}
import os, sys

first = sys.argv.index(next(each for each in sys.argv[1:] if "python" in os.path.basename(each)))
os.execv(sys.argv[first], sys.argv[first:])
"""
SACCT = """#!/bin/sh
echo 'JobID|State|NodeList'
for n in 0 1 2; do
  if [ "$n" = "$LOST" ]; then echo "7_$n|OUT_OF_MEMORY|here"; else echo "7_$n|RUNNING|here"; fi
done
"""


@pytest.fixture
def slurm(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder, and on the PATH commands that do what Slurm's do, on this machine."""
    folder = tmp_path / "bin"
    folder.mkdir()
    for name, text in {"sbatch": SBATCH, "srun": SRUN, "sacct": SACCT}.items():
        (folder / name).write_text(text)
        (folder / name).chmod(0o755)
    monkeypatch.setenv("PATH", str(folder), prepend=":")
    return tmp_path


def test_a_machine_without_slurm_is_told_so(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("PATH", str(tmp_path))  # empty
    words = ("train", "-m", *TINY, "tracker=record", "seed=0,1", "hydra/launcher=slurm")
    code, _, err = called(capsys, monkeypatch, *words)
    assert code == 2
    assert err == (
        "`hydra/launcher` must be parallel where Slurm is not, got slurm and no `srun`.\n"
    )
    assert not list(tmp_path.iterdir())


def test_the_knobs_become_the_options_of_sbatch(slurm: Path) -> None:
    import submitit  # noqa: PLC0415  for those who have jobs

    knobs = dict(vars(SlurmConfig()))
    del knobs["_target_"]
    knobs |= {"minutes": 90, "partition": "long", "account": "us", "gpus": 1, "cpus": 3}
    launcher = SlurmLauncher(**knobs | {"more": {"nice": 10}})
    launcher.check()
    executor = submitit.AutoExecutor(slurm / "jobs", cluster="slurm")
    executor.update_parameters(**launcher.parameters())
    text = executor._executor._make_submission_file_text("true", "0")
    for line in (
        "time=90", "mem=4GB", "cpus-per-task=3", "gpus-per-node=1", "partition=long", "account=us",
        "nice=10", "job-name=steelyard",
    ):  # fmt: skip
        assert f"#SBATCH --{line}\n" in text


def test_an_option_that_slurm_does_not_take_is_told_in_one_line(
    slurm: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    told = "sbatch: error: invalid partition specified: nope"
    (slurm / "bin/sbatch").write_text(f'#!/bin/sh\necho "{told}" >&2\nexit 1\n')
    monkeypatch.chdir(slurm)
    code, _, err = called(capsys, monkeypatch, *SWEEP, "hydra.launcher.partition=nope")
    assert code == 2
    assert err == f"`hydra.launcher` must be options that sbatch takes, got: {told}.\n"


def test_a_stop_while_slurm_is_told_of_the_jobs_leaves_none_of_them(
    slurm: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    sbatch = "#!/bin/sh\nkill -INT $PPID\nsleep 0.2\necho Submitted batch job 7\n"
    (slurm / "bin/sbatch").write_text(sbatch)
    (slurm / "bin/scancel").write_text(f'#!/bin/sh\necho "$@" >> {slurm}/cancelled\n')
    (slurm / "bin/scancel").chmod(0o755)
    monkeypatch.chdir(slurm)
    before = signal.getsignal(signal.SIGINT)
    code, _, err = called(capsys, monkeypatch, *SWEEP)
    assert code == 130
    assert err == "Stopped. The same command goes on where this one left off.\n"
    assert (slurm / "cancelled").read_text().split() == ["7_0", "7_1", "7_2"]
    assert signal.getsignal(signal.SIGINT) is before


@pytest.mark.slow
def test_a_sweep_of_jobs_is_one_array_and_a_lost_job_loses_its_run_alone(
    slurm: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from mlflow import MlflowClient  # noqa: PLC0415  two seconds, for this test alone

    words = ("train", "-m", *TINY, "seed=0,1,2", "hydra/launcher=slurm", "hydra.launcher.n_jobs=2")
    monkeypatch.setenv("LOST", "1")
    code, out, err = finished(slurm, *words)
    assert code == 1, err
    assert "2 trained, 0 were there already, 1 failed." in out
    assert "equal-1: failed: its job 7_1 ended as OUT_OF_MEMORY" in err
    script = (slurm / "outputs/slurm/7_submission.sh").read_text()
    assert "#SBATCH --array=0-2%2\n" in script
    found = [json.loads(path.read_text()) for path in slurm.glob("outputs/runs/*/record.json")]
    assert {each["name"] for each in found} == {"equal-0", "equal-2"}

    client = MlflowClient(f"sqlite:///{slurm}/outputs/mlflow/mlflow.db")
    experiment = client.get_experiment_by_name("scratch")
    assert experiment is not None
    runs = client.search_runs([experiment.experiment_id])
    told = {run.info.run_name: run.info.status for run in runs if "run_key" in run.data.tags}
    assert told == {"equal-0": "FINISHED", "equal-2": "FINISHED"}
