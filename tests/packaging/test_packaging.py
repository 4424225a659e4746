"""What a user gets: the source distribution, the wheel with the extension, the pure wheel without a compiler.

Installs from the network into empty environments, hence not part of the default run: ``make package``.
"""

from __future__ import annotations

import subprocess
import sys
import tarfile
import zipfile
from pathlib import Path

import pytest

from environments import USE, empty_environment, installed, pip, run, succeeded

ROOT = Path(__file__).resolve().parents[2]
NO_COMPILER = {"CC": "/bin/false", "CXX": "/bin/false"}
REQUIRE_NATIVE = {"HASHINDEX_REQUIRE_NATIVE": "1"}
PURE_MESSAGE = "the C++ extension could not be built; installed the pure-Python wheel"
NOT_SHIPPED = (".",)  # what git, editors and CI read
WHEEL_FILES = {"_core.pyi", "__init__.py", "py.typed", "engines/numpy_engine/engine.py", "pages/demo.html"}


def build_wheel(sdist: Path, folder: Path, variables: dict[str, str]) -> subprocess.CompletedProcess[str]:
    """Run with the build requirements of this environment, which saves fetching them each time."""
    return pip("wheel", "-v", "--no-deps", "--no-build-isolation", "-w", folder, sdist, variables=variables)


@pytest.fixture(scope="module")
def sdist(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("sdist")
    succeeded(run(sys.executable, "-m", "build", "--sdist", "--no-isolation", "-o", folder, ROOT))
    (archive,) = folder.iterdir()
    return archive


@pytest.fixture(scope="module")
def native(sdist: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Interpreter of an environment with the source distribution, built as pip builds it for anybody."""
    python = empty_environment(tmp_path_factory.mktemp("native"))
    succeeded(pip("--python", python, "install", sdist, variables=REQUIRE_NATIVE))
    return python


@pytest.fixture(scope="module")
def without_compiler(sdist: Path, tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, str]:
    """Return the wheel and pip's output."""
    folder = tmp_path_factory.mktemp("without_compiler")
    output = succeeded(build_wheel(sdist, folder, NO_COMPILER))
    (wheel,) = folder.iterdir()
    return wheel, output


def test_sdist_holds_the_files_of_the_repository_and_no_others(sdist: Path) -> None:
    with tarfile.open(sdist) as archive:
        names = {name.partition("/")[2] for name in archive.getnames()}
    assert {"PKG-INFO", "LICENSE", "csrc/kernels/avx2.cpp", "src/hashindex/_core.pyi"} <= names
    made = (".", "build/", "dist/", "report.html")
    assert not {name for name in names if name.startswith(made) or "__pycache__" in name}
    if not (ROOT / ".git").exists():
        pytest.skip("no git here to say which files belong to the repository")
    listed = succeeded(run("git", "ls-files", "--cached", "--others", "--exclude-standard", cwd=ROOT)).splitlines()
    shipped = {name for name in listed if (ROOT / name).exists() and not name.startswith(NOT_SHIPPED)}
    assert names - {"PKG-INFO"} == shipped


def test_sdist_installs_natively_with_numpy_alone(native: Path, tmp_path: Path) -> None:
    assert installed(native) == {"hashindex", "numpy"}
    engine, *caught = succeeded(run(native, "-c", USE, cwd=tmp_path)).splitlines()
    assert engine.startswith("native (")
    assert not caught


def test_native_installation_has_its_files(native: Path) -> None:
    (package,) = native.parents[1].glob("lib/python*/site-packages/hashindex")
    assert not {name for name in WHEEL_FILES if not (package / name).is_file()}
    assert len(list(package.glob("_core.*.so"))) == 1
    assert len(list(package.parent.glob("hashindex-*.dist-info/licenses/LICENSE"))) == 1
    assert not list(package.rglob("*.cpp"))


def test_without_a_compiler_the_pure_wheel_is_built_and_said_so(without_compiler: tuple[Path, str]) -> None:
    wheel, output = without_compiler
    assert wheel.name.endswith("-py3-none-any.whl")
    assert PURE_MESSAGE in output
    names = set(zipfile.ZipFile(wheel).namelist())
    assert {f"hashindex/{name}" for name in WHEEL_FILES} <= names
    assert any(name.endswith(".dist-info/licenses/LICENSE") for name in names)
    assert not {name for name in names if name.endswith((".so", ".cpp", ".h", ".o"))}


def test_pure_wheel_searches_with_numpy_and_one_warning(without_compiler: tuple[Path, str], tmp_path: Path) -> None:
    python = empty_environment(tmp_path / "venv")
    succeeded(pip("--python", python, "install", without_compiler[0]))
    assert installed(python) == {"hashindex", "numpy"}
    engine, *caught = succeeded(run(python, "-c", USE, cwd=tmp_path)).splitlines()
    assert engine == "numpy"
    assert len(caught) == 1
    assert caught[0].startswith("RuntimeWarning: the C++ extension of hashindex is not installed")


def test_a_failed_native_build_is_an_error_on_request(sdist: Path, tmp_path: Path) -> None:
    done = build_wheel(sdist, tmp_path, NO_COMPILER | REQUIRE_NATIVE)
    assert done.returncode != 0
    assert PURE_MESSAGE not in done.stdout
    assert not list(tmp_path.iterdir())


def test_pure_wheel_on_request(sdist: Path, tmp_path: Path) -> None:
    output = succeeded(build_wheel(sdist, tmp_path, {"HASHINDEX_PURE": "1"}))
    assert PURE_MESSAGE not in output
    assert [wheel.name.partition("-py3-")[2] for wheel in tmp_path.iterdir()] == ["none-any.whl"]
