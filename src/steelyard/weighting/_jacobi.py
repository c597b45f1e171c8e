"""Eigenvalues of a Gramian to all their digits, however far apart its rows are in length."""

from steelyard.arrays import Array, Gramian, ops

N_SWEEPS = 8  # 6 leave nothing but rounding of rows whose lengths span 12 orders


def eigen(gramian: Gramian) -> tuple[Array, Array]:
    """Returns the eigenvalues [K], in no order, and the eigenvectors [K, K], as columns.

    By Jacobi's rotations: each makes one pair of rows orthogonal, and K / 2 pairs are turned at
    once. Unlike methods that begin by mixing all rows, it finds eigenvalues that are 1e-24 of the
    largest as precisely as the largest, if only the directions of the rows are not dependent.
    """
    n_tasks = gramian.shape[0]
    rounds = [ops.cast(each, "float64") for each in pairings(n_tasks)]
    identity = ops.eye(n_tasks, dtype="float64")

    def sweep(_: int, state: tuple[Array, Array]) -> tuple[Array, Array]:
        matrix, vectors = state
        for pairing in rounds:
            turn = rotation(matrix, pairing, identity)
            matrix = ops.matmul(ops.transpose(turn), ops.matmul(matrix, turn))
            matrix = matrix * (1.0 - pairing * ops.cast(ops.abs(turn) > 0, "float64"))
            vectors = ops.matmul(vectors, turn)
        return (matrix + ops.transpose(matrix)) / 2.0, vectors

    matrix, vectors = ops.fori_loop(0, N_SWEEPS, sweep, (gramian, identity))
    return ops.diagonal(matrix), vectors


def rotation(matrix: Array, pairing: Array, identity: Array) -> Array:
    """Returns the orthogonal matrix [K, K] that clears the paired entries of a symmetric one.

    Args:
        matrix: The symmetric matrix [K, K].
        pairing: 1 where two rows [K, K] are a pair, each row in at most one.
        identity: Of the same shape.
    """
    own = ops.diagonal(matrix)
    other = ops.matmul(pairing, own[:, None])[:, 0]
    across = ops.sum(pairing * matrix, axis=1)
    is_turned = ops.abs(across) > 0
    ratio = (other - own) / ops.where(is_turned, 2.0 * across, 1.0)
    rank = ops.cumsum(ops.ones_like(own))
    is_first = rank < ops.matmul(pairing, rank[:, None])[:, 0]
    sign = ops.where(ratio == 0, ops.where(is_first, 1.0, -1.0), ops.sign(ratio))
    tangent = sign / (ops.abs(ratio) + ops.sqrt(1.0 + ops.square(ratio)))
    tangent = ops.where(is_turned, tangent, 0.0)
    cosine = 1.0 / ops.sqrt(1.0 + ops.square(tangent))
    return identity * cosine[:, None] + pairing * (tangent * cosine)[:, None]


def pairings(n: int) -> list[list[list[int]]]:
    """Returns rounds of a tournament of n, in which each meets each once, as matrices [n, n]."""
    n_seats = n + n % 2  # an odd one out sits still
    seats = list(range(n_seats))
    rounds = []
    for _ in range(n_seats - 1):
        met = [[0] * n for _ in range(n)]
        for one, other in zip(seats[: n_seats // 2], reversed(seats[n_seats // 2 :]), strict=True):
            if max(one, other) < n:
                met[one][other] = met[other][one] = 1
        rounds.append(met)
        seats = [seats[0], seats[-1], *seats[1:-1]]
    return rounds
