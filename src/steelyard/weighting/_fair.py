"""The point at which tasks of unlike strength are served alpha-fairly, by Newton's method."""

from steelyard.arrays import Array, ops

N_NEWTON_STEPS = 50  # 10 to 25 are taken; rows that cancel take all
SETTLED = 1e-9  # a relative step so short was the last, since the error is its square
N_HALVINGS = 10  # of a step that overshoots
MOST_SHRUNK = -9.0  # in logarithms, in one step
ENOUGH = 0.1  # of the decrease that a step promises
SLACK = 1e-12  # rounding of the objective, in units of its terms
RIDGE = 1e-14  # keeps the system regular where rows cancel


def fair(cosines: Array, log_forces: Array, power: float) -> Array:
    """Returns x [K] > 0 with x_k^power (C x)_k = t_k, from cosines C [K, K] and log t [K].

    It is where x^T C x / 2 - sum_k t_k U(x_k), with U'(x) = x^(-power), is least; that is strictly
    convex, and has no least only if the rows cancel. Newton's steps are taken relative to x, and a
    coefficient that shrinks does so as exp does, since it may have many orders to go. Of the
    steps 1, 1/2, 1/4, ... the longest is taken that does not overshoot.
    """
    forces = ops.exp(log_forces)
    sizes = ops.power(0.5, ops.arange(N_HALVINGS, dtype="float64"))  # [S]

    def terms(x: Array) -> tuple[Array, Array]:
        """Returns the two terms [S] of the objective at some points [S, K]."""
        utility = ops.log(x) if power == 1 else ops.power(x, 1.0 - power) / (1.0 - power)
        return ops.sum(x * ops.matmul(x, cosines), axis=1) / 2.0, ops.sum(forces * utility, axis=1)

    def is_going(turn: Array, x: Array, largest: Array) -> Array:
        return ops.logical_and(turn < N_NEWTON_STEPS, largest > SETTLED)

    def step(turn: Array, x: Array, largest: Array) -> tuple[Array, Array, Array]:
        gradient, move = newton_move(cosines, forces, power, x)
        tried = sizes[:, None] * move[None, :]  # [S, K]
        shrunk = ops.exp(ops.maximum(ops.minimum(tried, 0.0), MOST_SHRUNK))
        tried = x * ops.where(tried < 0, shrunk, 1.0 + tried)
        here, there = terms(x[None, :]), terms(tried)
        change = (there[0] - here[0]) - (there[1] - here[1])
        promised = sizes * ops.sum(gradient * move)
        slack = SLACK * (ops.abs(here[0]) + ops.abs(here[1]))
        is_short = change <= ENOUGH * promised + slack
        length = ops.max(ops.where(is_short, sizes, sizes[-1]))
        x = ops.sum(ops.where((sizes == length)[:, None], tried, 0.0), axis=0)
        return turn + 1, x, ops.max(ops.abs(move))

    x = ops.exp(log_forces / (1.0 + power))
    start = (ops.zeros((), dtype="int32"), x, ops.ones_like(x[0]))
    return ops.while_loop(is_going, step, start)[1]


def newton_move(cosines: Array, forces: Array, power: float, x: Array) -> tuple[Array, Array]:
    """Returns the slope of the objective along log x [K], and Newton's step relative to x [K]."""
    push = forces * ops.power(x, 1.0 - power)
    gradient = x * ops.matmul(cosines, x[:, None])[:, 0] - push
    hessian = cosines * x[:, None] * x[None, :] + ops.diag(power * push)
    scale = 1.0 / ops.sqrt(ops.diagonal(hessian))
    scaled = hessian * scale[:, None] * scale[None, :]
    scaled = scaled + RIDGE * ops.eye(scaled.shape[0], dtype="float64")
    return gradient, -scale * ops.solve(scaled, (scale * gradient)[:, None])[:, 0]
