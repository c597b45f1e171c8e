"""What other packages answer random questions with; it runs in an environment of theirs.

    python benchmarks/peer_answers.py questions.npz answers.npz

NumPy and PyTorch are all it needs; of TorchJD, LibMTL and conflictfree it asks those that are
installed. Questions `rows/*` are Jacobians [n, K, P], answered with directions [n, P]; questions
`losses/*` are losses of some epochs [n, epochs, K], answered with the weights of the last [n, K].
An answer that a package does not give is NaN.
"""

import contextlib
import importlib
import importlib.metadata
import importlib.util
import itertools
import json
import platform
import random
import sys
import types
import warnings
from collections import Counter
from collections.abc import Callable
from typing import Any
from unittest import mock

import numpy as np
import torch

PACKAGES = ("torch", "torchjd", "LibMTL", "conflictfree")
LIBRARIES = ("numpy", "scipy", "cvxpy", "clarabel", "ecos", "qpsolvers", "quadprog")
C, ALPHA, MU = 0.5, 2.0, 1.0  # of CAGrad, FairGrad and STCH: the same knobs on both sides

OF_LOSSES = {"dwa", "gls", "stch"}
OF_ORDERS = {"pcgrad", "gradvac"}

Ask = Callable[[torch.Tensor], torch.Tensor]
Methods = dict[str, Ask]


def fresh(kind: Any, n_steps: int = 1, **knobs: Any) -> Ask:
    """Returns a question to a method that has seen nothing yet, or the same rows before."""

    def ask(rows: torch.Tensor) -> torch.Tensor:
        method = kind(**knobs)
        for _ in range(n_steps):
            answer = method(rows)
        return answer

    return ask


def torchjd() -> Methods:
    """Returns TorchJD's methods with the knobs that they come with."""
    its = importlib.import_module("torchjd.aggregation")
    return {
        "aligned_mtl": fresh(its.AlignedMTL),
        "cagrad": fresh(its.CAGrad, c=C),
        "con_fig": fresh(its.ConFIG),
        "dual_proj": fresh(its.DualProj),
        "fair_grad": fresh(its.FairGrad, alpha=ALPHA),
        "gradvac": fresh(its.GradVac, n_steps=2),
        "imtl_g": fresh(its.IMTLG),
        "mgda": fresh(its.MGDA),
        "nash_mtl": lambda rows: its.NashMTL(n_tasks=len(rows), max_norm=0.0)(rows),
        "pcd": fresh(its.PCD),
        "pcgrad": fresh(its.PCGrad),
        "upgrad": fresh(its.UPGrad),
        **torchjd_losses(),
    }


def torchjd_losses() -> Methods:
    """Returns TorchJD's methods that look at losses alone."""
    its = importlib.import_module("torchjd.scalarization")

    def dwa(losses: torch.Tensor) -> torch.Tensor:
        method = its.DWA()
        for epoch in losses[:-1]:
            method(epoch)
            method.step()
        return slope(method, losses[-1])

    def stch(losses: torch.Tensor) -> torch.Tensor:
        smooth_max = its.STCH(mu=MU, weights=torch.ones_like(losses[0]))
        # The nadir is the last epoch but one; the form for many tasks takes logarithms, times K.
        return slope(lambda now: len(now) * smooth_max(torch.log(now / losses[-2])), losses[-1])

    return {"dwa": dwa, "gls": lambda losses: slope(its.GeometricMean(), losses[-1]), "stch": stch}


def torchjd_exact() -> Methods:
    """Returns those whose knobs allow more: less regularisation, more steps, no added number."""
    its = importlib.import_module("torchjd.aggregation")
    quadprog = importlib.import_module("torchjd.linalg").QuadprogProjector
    projector = quadprog(norm_eps=0.0, reg_eps=1e-12)
    return {
        "cagrad": fresh(its.CAGrad, c=C, norm_eps=0.0),
        "dual_proj": fresh(its.DualProj, projector=projector),
        "mgda": fresh(its.MGDA, epsilon=1e-8, max_iters=2000),
        "pcd": fresh(its.PCD, eps=0.0),
        "upgrad": fresh(its.UPGrad, projector=projector),
    }


def libmtl() -> Methods:
    """Returns LibMTL's methods, each asked as its trainer would."""
    # Importing the package imports its networks, and with them a module that torchvision no longer
    # has. Its folder of methods needs neither, so it is opened past them.
    package = types.ModuleType("LibMTL")
    package.__path__ = list(importlib.util.find_spec("LibMTL").submodule_search_locations)
    sys.modules["LibMTL"] = package
    its = importlib.import_module("LibMTL.weighting")

    def asked(name: str, n_steps: int = 1, **knobs: Any) -> Ask:
        def ask(rows: torch.Tensor) -> torch.Tensor:
            shared = torch.zeros(rows.shape[1], requires_grad=True)
            shared.grad = torch.zeros_like(shared)
            method = getattr(its, name)()
            method.task_num, method.device, method.rep_grad = len(rows), shared.device, False
            method.get_share_params = lambda: [shared]
            method.zero_grad_share_params = shared.grad.zero_
            method.init_param()
            for _ in range(n_steps):
                shared.grad.zero_()
                method.backward(rows @ shared + 1.0, **knobs)
            return shared.grad

        return ask

    return {
        "cagrad": asked("CAGrad", calpha=C, rescale=0),
        "edm": asked("MGDA", mgda_gn="l2"),
        "gradvac": asked("GradVac", n_steps=2, beta=0.5),
        "imtl_g": asked("IMTL"),
        "mgda": asked("MGDA", mgda_gn="none"),
        "pcgrad": asked("PCGrad"),
    }


def conflictfree() -> Methods:
    """Returns the methods of the package of ConFIG's authors."""
    its = importlib.import_module("conflictfree.grad_operator")
    return {
        "con_fig": its.ConFIG_update,
        "imtl_g": its.IMTLGOperator().calculate_gradient,
        "pcgrad": its.PCGradOperator().calculate_gradient,
    }


PEERS = {
    "TorchJD": ("torchjd", torchjd),
    "TorchJD, finer": ("torchjd", torchjd_exact),
    "LibMTL": ("LibMTL", libmtl),
    "conflictfree": ("conflictfree", conflictfree),
}


def slope(function: Ask, losses: torch.Tensor) -> torch.Tensor:
    """Returns the derivative of a function of the losses [K]: the weights it gives them."""
    losses = losses.clone().requires_grad_()
    return torch.autograd.grad(function(losses), losses)[0]


def answered(ask: Ask, question: torch.Tensor, seed: int) -> tuple[torch.Tensor, np.ndarray]:
    """Returns the answer, and the order in which each task visited the others [steps, K, K - 1].

    Packages draw their orders; they are written down, so that others can be asked with the same.
    """
    n_tasks = question.shape[0]
    drawn: list[list[int]] = []
    randperm, shuffle = torch.randperm, random.shuffle

    def note_randperm(n: int) -> torch.Tensor:
        order = randperm(n)
        others = [k for k in range(n_tasks) if n == n_tasks or k != len(drawn) % n_tasks]
        drawn.append([others[k] for k in order])
        return order

    def note_shuffle(order: list[int]) -> None:
        shuffle(order)
        drawn.append(list(order))

    torch.manual_seed(seed)
    random.seed(seed)
    with (
        mock.patch.object(torch, "randperm", note_randperm),
        mock.patch.object(random, "shuffle", note_shuffle),
    ):
        answer = ask(question)
    visits = drawn or [list(range(n_tasks))] * n_tasks
    orders = [[k for k in row if k != i % n_tasks] for i, row in enumerate(visits)]
    return answer, np.reshape(orders, (-1, n_tasks, n_tasks - 1))


def refused(error: Exception) -> str:
    """Returns an error's kind and the first line of what it says."""
    return f"{type(error).__name__}: {(str(error).strip().splitlines() or [''])[0]}"


def answers_of(methods: Methods, questions: dict[str, np.ndarray]) -> tuple[dict, Counter]:
    """Returns the answers of a package by method and question, and what it refused and why."""
    given: dict[str, np.ndarray] = {}
    refusals: Counter[tuple[str, ...]] = Counter()
    for method, name in itertools.product(methods, questions):
        if name.startswith("losses/") != (method in OF_LOSSES):
            continue
        found = np.full(questions[name][:, 0].shape, np.nan)
        orders = []
        for n, question in enumerate(questions[name]):
            try:
                answer, order = answered(methods[method], torch.tensor(question), n)
                found[n] = answer.detach().numpy()
                orders.append(order)
            except Exception as error:  # whatever a package raises is its answer
                refusals[(method, name, refused(error))] += 1
        given[f"{method}/{name}"] = found
        if method in OF_ORDERS:
            given[f"{method}/{name}/orders"] = np.array(orders)
    return given, refusals


def versions() -> dict[str, str]:
    """Returns the versions of what is installed here."""
    found = {"Python": platform.python_version()}
    for name in PACKAGES + LIBRARIES:
        with contextlib.suppress(importlib.metadata.PackageNotFoundError):
            found[name] = importlib.metadata.version(name)
    return found


def main(questions: str, answers: str) -> None:
    """Reads the questions, asks all that is installed, and writes the answers."""
    torch.set_default_dtype(torch.float64)
    torch.set_num_threads(1)
    warnings.filterwarnings("ignore")
    given: dict[str, np.ndarray] = {}
    refusals: list[list[Any]] = []
    installed = versions()
    asked = dict(np.load(questions))
    for peer, (package, methods) in PEERS.items():
        if package not in installed:
            continue
        found, refused_here = answers_of(methods(), asked)
        given |= {f"{peer}/{name}": answer for name, answer in found.items()}
        refusals += [[peer, *which, n] for which, n in refused_here.items()]
    notes = {"versions": installed, "refusals": refusals}
    np.savez(answers, notes=np.array(json.dumps(notes)), **given)


if __name__ == "__main__":
    main(*sys.argv[1:])
