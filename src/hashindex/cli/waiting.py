"""How the threads of PyTorch wait for each other in commands that train."""

import os


def wait_passively() -> None:
    """Have OpenMP threads sleep at barriers, unless the user has set how they wait; call it before torch is loaded.

    By default they spin, which on a core that another process wants takes away the time that the others wait for: a
    training on two cores, one of them busy, takes several times as long. OpenMP reads the variable when it is loaded;
    processes started later inherit it.
    """
    os.environ.setdefault("OMP_WAIT_POLICY", "PASSIVE")
