"""
What pyproject.toml cannot say: how the accelerated form is built.

    HYPERLAMBDA_COMPILE=1 pip install .

compiles the hot modules with mypyc, and adds a loop in C that sends to many sockets.
Without the variable the wheel is pure Python, and fits everywhere. The sources in Python
are in both: what cannot be loaded compiled is not lost.
"""

import os
import shutil
import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from setuptools import Distribution, Extension, setup
from setuptools.command.build_ext import build_ext

IS_WANTED = os.environ.get("HYPERLAMBDA_COMPILE", "") not in {"", "0"}

# Those that programs spend their time in. Others would gain nothing, or cannot be
# compiled: mypyc has no subclasses of `str`, `int`, `list` and `dict`.
MODULES = (
    "allowance body budget climbing compiled conversions descending evaluator "
    "expression_text expressions generator iteration iterators json_layout json_reader json_scalars "
    "json_writer lalr lexer meter node ordering parser run shapes unwrapping "
    "slots/branching slots/building slots/comparison slots/counting slots/dynamic "
    "slots/evaluation slots/exceptions slots/json slots/logic slots/loops slots/nodes "
    "slots/numbers slots/reading slots/returning slots/strings slots/texts"
)

STAGE = Path("build", "staged")


class BuildCompiled(build_ext):
    """Compile the modules, and install the results beside their sources."""

    def finalize_options(self) -> None:
        """Translate the modules to C, which says what there is to build."""
        if not self.distribution.ext_modules:
            self.distribution.ext_modules = translated() + written()
        super().finalize_options()

    def build_extension(self, ext) -> None:
        """Compile one module, its C files side by side."""
        compile_files = self.compiler.compile
        workers = os.cpu_count() or 1

        def compile_side_by_side(sources, **options) -> list[str]:
            with ThreadPoolExecutor(workers) as pool:
                found = pool.map(lambda one: compile_files([one], **options), sources)
                return [name for names in found for name in names]

        self.compiler.compile = compile_side_by_side
        try:
            super().build_extension(ext)
        finally:
            self.compiler.compile = compile_files


class CompiledDistribution(Distribution):
    """A distribution that fits one platform, before its modules are known."""

    def has_ext_modules(self) -> bool:
        """Return that there are modules to compile."""
        return True


def translated() -> list:
    """Return the extension modules, translated to C."""
    from mypyc.build import mypycify  # only where it is wanted

    # The packages as they are once installed: mypyc knows modules by their paths.
    shutil.rmtree(STAGE, ignore_errors=True)
    ignored = shutil.ignore_patterns("__pycache__", "*.so", "*.pyd")
    shutil.copytree("hyperlambda", STAGE / "hyperlambda", ignore=ignored)
    shutil.copytree("slots", STAGE / "hyperlambda" / "slots", ignore=ignored)
    paths = [str(STAGE / "hyperlambda" / f"{name}.py") for name in MODULES.split()]
    return mypycify(
        ["--config-file=", "--always-true=IS_COMPILED", *paths],
        opt_level=os.environ.get("MYPYC_OPT_LEVEL", "2"),
        debug_level=os.environ.get("MYPYC_DEBUG_LEVEL", "0"),
        multi_file=True,
        group_name="hyperlambda",
    )


def written() -> list:
    """Return the extension modules that are written in C."""
    if sys.platform == "win32":  # where sockets are no file descriptors
        return []
    return [Extension("hyperlambda.server._sending", ["native/sending.c"])]


if IS_WANTED:
    setup(
        setup_requires=["mypy>=2.4"],
        cmdclass={"build_ext": BuildCompiled},
        distclass=CompiledDistribution,
    )
else:
    setup()
