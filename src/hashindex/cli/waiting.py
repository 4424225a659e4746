"""How the threads of other libraries wait for each other in commands that train, and which are not begun in others."""

import os
import sys


def wait_passively() -> None:
    """Have OpenMP threads sleep at barriers, unless the user has set how they wait; call it before torch is loaded.

    By default they spin, which on a core that another process wants takes away the time that the others wait for: a
    training on two cores, one of them busy, takes several times as long. OpenMP reads the variable when it is loaded;
    processes started later inherit it.
    """
    os.environ.setdefault("OMP_WAIT_POLICY", "PASSIVE")


def without_blas() -> None:
    """Have NumPy begin no threads of its own, unless the user has set how many; call it before NumPy is loaded.

    OpenBLAS begins one for each CPU as it is loaded, which takes about as long as a short command works. Commands over
    stores multiply no matrices.
    """
    if "numpy" not in sys.modules:
        os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")
