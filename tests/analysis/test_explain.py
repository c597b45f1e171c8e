"""What is said of a run: the verdict, and what its record does not tell."""

import math

import pytest

from steelyard.analysis.explaining.explain import Explanation, explain
from steelyard.analysis.explaining.story import most, story_of
from tests.analysis.told_runs import Made, told

LOST = Made(valid=1.0, train=1.0)


def names(found: Explanation) -> list[str]:
    return [cause.name for cause in found.causes]


def test_a_head_that_holds_all_and_one_that_stays_at_its_constant() -> None:
    found = explain(*told({"age": Made(norm=99.0), "class": LOST}))
    assert found.verdict == (
        "age held 99.0 % of the gradient of the shared layers over all 6 epochs: class never got "
        "clearly below a constant guess."
    )
    assert names(found) == ["units"]


def test_two_heads_that_both_learn_are_well() -> None:
    found = explain(*told({"age": Made(valid=0.4), "class": Made(valid=0.6)}))
    assert found.verdict.startswith("Nothing wrong with the balance: every head got below its best")
    assert "(the worst, class, to 0.6 of its loss)" in found.verdict
    assert (found.causes, found.advice, found.unknown) == ([], [], [])


def test_without_constants_it_is_not_said_that_nothing_is_wrong() -> None:
    heads = {"age": Made(valid=0.4), "class": Made(valid=0.6)}
    found = explain(*told(heads, constant={}, constant_valid={}))
    assert found.verdict.startswith("No head dominated: the largest mean share")
    assert found.verdict.endswith("; whether the heads beat a constant guess cannot be told.")
    assert found.unknown == [
        "Of age and class no best constant with a loss above 0 is recorded, so whether a constant "
        "guess was beaten cannot be told."
    ]


def test_a_head_whose_best_constant_is_always_right_is_named_and_not_counted_as_served() -> None:
    """On validation each of its targets is the same, as happens to a rare class."""
    heads = {"age": Made(valid=0.4), "class": Made(valid=0.6), "rare": Made(valid=0.1)}
    constants = {"age": 1.0, "class": 1.0, "rare": 0.0}
    found = explain(*told(heads, constant_valid=constants))
    assert found.verdict.startswith("No head dominated: ")
    assert "every head" not in found.verdict
    assert found.verdict.endswith(
        "age and class got below their best constant guess (the worst, class, to 0.6 of its loss); "
        "whether rare beat a constant guess cannot be told."
    )
    assert found.unknown[0].startswith("Of rare no best constant with a loss above 0 is recorded")
    one = explain(*told({"age": Made(valid=0.4), "rare": Made()}, constant_valid={"age": 1.0}))
    assert "; age got below its best constant guess (to 0.4 of its loss); whether" in one.verdict


def test_a_head_that_cannot_be_told_is_named_beside_one_that_holds_all() -> None:
    heads = {"age": Made(norm=99.0, valid=0.4), "rare": Made(valid=0.1)}
    found = explain(*told(heads, constant_valid={"age": 1.0, "rare": 0.0}))
    assert "even so" not in found.verdict
    assert found.verdict.endswith("; whether rare beat a constant guess cannot be told.")
    found = explain(*told({**heads, "class": LOST}, constant_valid={"age": 1.0, "class": 1.0}))
    assert found.verdict.endswith(
        ": class never got clearly below a constant guess; whether rare beat a constant guess "
        "cannot be told."
    )


def test_a_method_s_weights_are_not_advised_where_a_head_cannot_be_told() -> None:
    heads = {"age": Made(weights=[1.0, 5.0] * 3), "rare": Made(weights=[5.0, 1.0] * 3)}
    served = explain(*told(heads, weighting="dwa"))
    assert ["weighting=fixed"] in [each.overrides[:1] for each in served.advice]
    untold = explain(*told(heads, weighting="dwa", constant_valid={"age": 1.0, "rare": 0.0}))
    assert ["weighting=fixed"] not in [each.overrides[:1] for each in untold.advice]


def test_a_head_that_holds_all_while_every_head_learns_is_told_as_that() -> None:
    found = explain(*told({"age": Made(norm=99.0), "class": Made(valid=0.8)}))
    assert "; even so, every head got below" in found.verdict
    assert names(found) == ["units"]


def test_when_a_head_held_most_is_told() -> None:
    norms = [9.0, 9.0, 9.0, 1.0, 9.0, 1.0]
    held = story_of(*told({"age": Made(norm=norms), "class": LOST})).dominance
    assert held is not None
    assert (held.epochs, held.n_epochs, held.is_lasting) == ([1, 2, 3, 5], 6, True)
    assert held.share == pytest.approx((4 * 0.9 + 2 * 0.5) / 6)
    told_when = explain(*told({"age": Made(norm=norms), "class": LOST})).verdict
    assert (
        "77 % of the gradient of the shared layers, and over 67 % in epochs 1 to 3 and 5 of 6"
        in (told_when)
    )


def test_a_head_that_held_most_only_at_first_did_not_dominate() -> None:
    found = explain(*told({"age": Made(norm=[99.0, 1, 1, 1, 1, 1]), "class": LOST}))
    assert found.verdict.startswith("No head dominated (age held over 67 % in epoch 1 of 6):")
    assert "only" in found.causes[0].says


def test_a_head_that_learnt_and_lost_it_again_is_not_said_never_to_have_learnt() -> None:
    late = Made(valid=[0.9, 0.9, 1.2, 1.2, 1.2, 1.2])
    main = Made(valid=[0.9, 0.8, 0.1, 0.1, 0.1, 0.05], norm=99.0)
    assert "class was not clearly below a constant guess in the epoch that was kept" in (
        explain(*told({"age": main, "class": late})).verdict
    )


def test_one_head_has_nothing_to_balance() -> None:
    found = explain(*told({"age": Made(valid=0.3), "class": Made(weight=0.0)}))
    assert found.verdict == (
        "age was trained alone, so there was nothing to balance; it got to 0.3 of the loss of its "
        "best constant."
    )
    assert found.unknown == ["Not trained, by a loss weight of 0: class."]
    assert not found.causes


def test_a_run_that_diverged_names_the_epoch_and_the_head() -> None:
    nan = math.nan
    heads = {"age": Made(norm=99.0, train=[5.0, nan], valid=[2.0, nan], start=1.0), "class": LOST}
    found = explain(*told(heads, n_epochs=2, status="diverged", best={}, test={}, best_epoch=0))
    assert found.verdict == (
        "The run diverged in epoch 2: the loss of age was not finite, after age had held 99.0 % of "
        "the gradient of the shared layers."
    )
    assert names(found)[0] == "learning rate"
    assert found.causes[0].numbers["rise"] == 5.0


def test_a_run_that_failed_before_its_first_epoch_gives_its_reason() -> None:
    record = {"status": "failed", "error": "MemoryError: no room", "weighting": "fixed"}
    found = explain(record, [])
    assert found.verdict == "The run failed, before an epoch was kept: MemoryError: no room"
    assert not found.story.heads
    assert found.unknown == [
        "The record of a failed run keeps no epochs: nothing can be told of its heads."
    ]
    assert (found.causes, found.advice) == ([], [])


def test_without_gradients_the_loss_is_told_and_what_it_leaves_open() -> None:
    heads = {"age": Made(start=300.0, train=60.0), "class": LOST}
    config = {"training": {"diagnose_every": 0}}
    found = explain(*told(heads, has_gradients=False, config=config))
    assert found.verdict.startswith(
        "age held 98 % of the weighted loss (gradients were not recorded)"
    )
    assert found.causes[0].numbers == {"ratio_of_losses": pytest.approx(300.0)}
    assert "its diagnosis was off" in found.unknown[0]
    assert ["training.diagnose_every=50"] in [each.overrides for each in found.advice]


def test_where_nothing_is_shared_nobody_dominates() -> None:
    heads = {"age": Made(start=300.0, train=60.0), "class": LOST}
    config = {"optimizer": {"_target_": "keras.optimizers.Adam"}}
    found = explain(*told(heads, has_gradients=False, n_shared_parameters=0, config=config))
    assert found.verdict.startswith("No layer is shared by two heads, so none could dominate;")
    assert names(found) == ["nothing shared", "noise or too little signal"]
    assert "under Adam" in found.causes[0].says
    assert not found.unknown


def test_a_record_of_an_earlier_version_is_read_as_far_as_it_goes() -> None:
    record, history, _ = told({"age": Made(), "class": LOST}, has_gradients=False)
    for name in ("constant_valid", "n_shared_parameters", "alarms"):
        del record[name]
    found = explain(record, history)
    assert found.verdict.startswith("Who held the gradient cannot be told; class never got")
    assert [head.kind for head in found.story.heads] == ["binary", "binary"]
    assert len(found.unknown) == 2


def test_of_many_heads_ten_times_a_fair_share_is_most() -> None:
    assert most(2) == most(15) == pytest.approx(2 / 3)
    assert most(40) == 0.25
    heads = {f"h{n}": LOST for n in range(39)} | {"big": Made(norm=39.0)}
    found = explain(*told(heads))
    assert found.verdict.startswith("big held 50 % of the gradient")
    assert "h0, h1, h2, h3 and 35 others never got clearly below a constant guess" in found.verdict


def test_the_order_of_the_heads_changes_nothing_but_the_order() -> None:
    heads = {"a": Made(norm=20.0), "b": Made(valid=0.7), "c": LOST}
    one, other = (explain(*told(dict(order))) for order in (heads.items(), [*heads.items()][::-1]))
    assert one.verdict == other.verdict
    assert names(one) == names(other)
    assert [each.loss_weights for each in one.advice] == [
        each.loss_weights for each in other.advice
    ]
