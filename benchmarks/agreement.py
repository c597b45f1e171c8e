"""Where our methods agree with other packages and with published numbers, and who is right if not.

    python benchmarks/agreement.py --peer PYTHON

PYTHON is the interpreter of another environment, in which `peer_answers.py` is run. The result is
written to `agreement.md` beside this file.
"""

import argparse
import functools
import json
import subprocess
import tempfile
from pathlib import Path
from typing import Any

import numpy as np

from agreement_tables import N_PARAMETERS, N_TASKS, Case, Row, report
from asking import N_EPOCHS, in_turn, method_of, signals_of, weights_after, weights_of
from conditions import CONDITIONS, CONVENTIONS, units_of

HERE = Path(__file__).parent


def questions(seed: int, n: int) -> dict[str, np.ndarray]:
    """Returns random Jacobians [n, K, P] and losses [n, epochs, K] by family and K."""
    rng = np.random.default_rng(seed)
    asked = {}
    for k in N_TASKS:
        rows = rng.normal(size=(n, k, N_PARAMETERS))
        signs = rng.permuted(np.resize([1.0, -1.0], (n, k)), axis=1)[:, :, None]
        asked[f"rows/equal/{k}"] = rows
        asked[f"rows/spread/{k}"] = rows * 10 ** rng.uniform(-3, 3, (n, k, 1))
        asked[f"rows/opposed/{k}"] = signs * rng.normal(size=(n, 1, N_PARAMETERS)) + rows / 10
        asked[f"losses/any/{k}"] = np.exp(rng.normal(size=(n, N_EPOCHS, k)))
    return asked


def case_of(ours: np.ndarray, theirs: np.ndarray) -> Case:
    """Compares two answers."""
    sizes = [max(np.linalg.norm(each), 1e-300) for each in (ours, theirs)]
    turn = np.sum(np.square(ours / sizes[0] - theirs / sizes[1])) / 2
    apart = 2 * np.linalg.norm(ours - theirs) / sum(sizes)
    return Case(float(turn), abs(float(sizes[1] / sizes[0]) - 1), float(apart))


@functools.cache
def remembered(stem: str, n_tasks: int, rows: bytes, orders: bytes) -> np.ndarray:
    """Returns our weights [K]; a question that several peers answer is asked once."""
    jacobian = np.frombuffer(rows).reshape(n_tasks, -1)
    visits = np.frombuffer(orders, int).reshape(-1, n_tasks, n_tasks - 1)
    return weights_of(method_of(stem), jacobian, visits)


def case_of_rows(stem: str, rows: np.ndarray, theirs: np.ndarray, orders: Any) -> Case | None:
    """Asks our method about a Jacobian, and compares the directions; none if it has no solution."""
    orders = in_turn(len(rows)) if orders is None else orders
    weights = remembered(stem, len(rows), rows.tobytes(), orders.tobytes())
    if not np.isfinite(weights).all():
        return None
    if stem in CONVENTIONS:
        theirs = CONVENTIONS[stem](rows, weights) * theirs
    pair = (weights @ rows, theirs)
    residuals, least = [], []
    for d in pair:
        is_step = np.any(d != 0)
        residuals.append(CONDITIONS[stem](rows, d, orders) if is_step else np.inf)
        least.append(np.min(units_of(rows) @ d) / np.linalg.norm(d) if is_step else np.nan)
    return case_of(*pair)._replace(residuals=tuple(residuals), least=tuple(least))


def rows_of(asked: dict[str, np.ndarray], given: dict[str, np.ndarray]) -> list[Row]:
    """Returns the comparison, family by family; where an answer is missing there is no case."""
    table: dict[tuple[str, ...], Row] = {}
    for name in (name for name in given if not name.endswith("orders")):
        peer, stem, kind, family, k = name.split("/")
        here = asked[f"{kind}/{family}/{k}"]
        orders = given.get(f"{name}/orders", [None] * len(here))
        row = table.setdefault((stem, peer, family), Row(peer, stem, family, 0, []))
        for n in np.flatnonzero(np.isfinite(given[name]).all(axis=1)):
            if kind == "rows":
                case = case_of_rows(stem, here[n], given[name][n], orders[n])
            else:
                epochs = [signals_of(now, epoch=np.array(t)) for t, now in enumerate(here[n])]
                case = case_of(weights_after(method_of(stem), epochs), given[name][n])
            row.cases.extend([] if case is None else [case])
        table[stem, peer, family] = row._replace(n_asked=row.n_asked + len(here))
    return [table[key] for key in sorted(table)]


def main() -> None:
    """Asks the peers and ourselves, and writes the result."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--peer", required=True, help="Python of an environment with the peers")
    parser.add_argument("--n", type=int, default=10, help="Jacobians of each family and K")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--out", type=Path, default=HERE / "agreement.md")
    options = parser.parse_args()
    asked = questions(options.seed, options.n)
    with tempfile.TemporaryDirectory() as folder:
        paths = [str(Path(folder) / name) for name in ("questions.npz", "answers.npz")]
        np.savez(paths[0], **asked)
        subprocess.run([options.peer, str(HERE / "peer_answers.py"), *paths], check=True)
        given = dict(np.load(paths[1]))
    notes = json.loads(str(given.pop("notes")))
    options.out.write_text(report(asked, rows_of(asked, given), notes))


if __name__ == "__main__":
    main()
