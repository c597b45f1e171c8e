"""What a step costs in PyTorch and TorchJD, on the network of `steps.py`.

It is run by another interpreter, reads the sizes as JSON from standard input, and writes CPU
milliseconds a step, turn by turn.
"""

import json
import sys
import time

import torch
from torch import nn
from torchjd.aggregation import MGDA, NashMTL, PCGrad, UPGrad
from torchjd.autojac import jac_to_grad, mtl_backward

N_INCOMES = 10


class Posts(nn.Module):
    """Embedded words, stages of convolutions with pools between, a dense trunk, three heads."""

    def __init__(self, vocabulary: int, embedding: int, stages: list[list[int]]) -> None:
        super().__init__()
        layers: list[nn.Module] = []
        width = embedding
        for n, stage in enumerate(stages):
            if n:
                layers.append(nn.MaxPool1d(5))
            for filters in stage:
                layers += [nn.Conv1d(width, filters, 5), nn.ReLU()]
                width = filters
        self.words = nn.Embedding(vocabulary, embedding)
        self.convolutions = nn.Sequential(*layers, nn.AdaptiveMaxPool1d(1), nn.Flatten())
        self.trunk = nn.Sequential(nn.Linear(width, 128), nn.ReLU())
        self.heads = nn.ModuleList([nn.Linear(128, n) for n in (1, N_INCOMES, 1)])

    def losses(self, words: torch.Tensor, targets: list[torch.Tensor]) -> tuple[list, torch.Tensor]:
        """Returns the heads' losses, and what the heads read."""
        features = self.trunk(self.convolutions(self.words(words).transpose(1, 2)))
        age, income, gender = (head(features) for head in self.heads)
        age_target, income_target, gender_target = targets
        return [
            nn.functional.mse_loss(age[:, 0], age_target),
            nn.functional.cross_entropy(income, income_target),
            nn.functional.binary_cross_entropy_with_logits(gender[:, 0], gender_target),
        ], features

    def shared(self) -> list[torch.Tensor]:
        """Returns the parameters that all heads use."""
        parts = (self.words, self.convolutions, self.trunk)
        return [each for part in parts for each in part.parameters()]


def main() -> None:
    """Times plain PyTorch and TorchJD's aggregators, and prints the times by name."""
    size = json.load(sys.stdin)
    torch.manual_seed(0)
    n = size["batch"]
    words = torch.randint(1, size["vocabulary"], (size["n_steps"], n, size["length"]))
    targets = [
        40 + 12 * torch.randn(size["n_steps"], n),
        torch.randint(0, N_INCOMES, (size["n_steps"], n)),
        torch.randint(0, 2, (size["n_steps"], n)).float(),
    ]
    found: dict[str, list[float]] = {}
    for name, aggregator in (
        ("plain PyTorch", None),
        ("TorchJD UPGrad", UPGrad()),
        ("TorchJD MGDA", MGDA()),
        ("TorchJD PCGrad", PCGrad()),
        ("TorchJD NashMTL", NashMTL(n_tasks=3)),
    ):
        try:
            found[name] = timed(size, words, targets, aggregator)
        except Exception as error:
            print(f"{name}: {type(error).__name__}: {error}", file=sys.stderr)
    print(json.dumps(found))


def timed(size: dict, words: torch.Tensor, targets: list, aggregator: object) -> list[float]:
    """Returns the CPU milliseconds a step of each turn; the first turn is not counted."""
    model = Posts(size["vocabulary"], size["embedding"], size["stages"])
    optimizer = torch.optim.RMSprop(model.parameters(), lr=1e-3)
    turns = []
    for _ in range(size["n_turns"] + 1):
        began = time.process_time()
        for step in range(size["n_steps"]):
            losses, features = model.losses(words[step], [each[step] for each in targets])
            optimizer.zero_grad()
            if aggregator is None:
                sum(losses).backward()
            else:
                mtl_backward(losses, features=features)
                jac_to_grad(model.shared(), aggregator)
            optimizer.step()
        turns.append(1000 * (time.process_time() - began) / size["n_steps"])
    return turns[1:]


if __name__ == "__main__":
    main()
