"""What the command of a report adds to a study's records."""

import pytest
from omegaconf import OmegaConf

from steelyard.cli.report import beside, configured, varied


@pytest.mark.parametrize(
    ("study", "keys"),
    [("posts", []), ("diamonds", ["optimizer.learning_rate"]), ("scale", ["data.scale"])],
)
def test_what_runs_differ_in_is_not_told_as_what_they_share(study: str, keys: list[str]) -> None:
    assert varied(study) == keys
    told = beside(study, configured(study), ["fixed"], keys)
    shared = OmegaConf.create(told.settings)
    for key in [*keys, "seed", "loss_weights", "weighting"]:
        assert OmegaConf.select(shared, key) is None, key
    assert OmegaConf.select(shared, "training.epochs") > 0
