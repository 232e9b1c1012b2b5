"""A configuration: config/config.yaml with overlays on top (`snakemake --configfile`), made into checked settings.

It is checked before the first job: an unknown or ill-typed key is an error that names the key, the file and the nearest
right key.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

import yaml
from pydantic import ValidationError

from bestpath.catalog import METHODS, Settings, defaults
from bestpath.core.declarations import Method
from bestpath.core.errors import UserError, nearest
from bestpath.settings.base import Section, deep_merge, plain, sections_in


def load(config: Mapping[str, Any], files: Iterable[Path | str] = ()) -> Settings:
    """The settings of a merged configuration.

    `files` are the configuration files it came from, so that an error can name the one at fault. Raises
    UserError with one sentence for each mistake.
    """
    files = list(files)
    _check_gone(config, files)
    try:
        settings = Settings.model_validate(plain(deep_merge(defaults(config), config)))
    except ValidationError as error:
        raise _user_error(error, (), files) from None
    for name, method in METHODS.items():
        if (section := getattr(settings.methods, name)) is not None:
            _check_variants(settings, method, section, files)
    return settings


_GONE = {
    "method": f"name the method in 'methods', for example methods: {{{next(iter(METHODS))}: {{}}}}",
    "model": "write it as 'models.base'",
    "generation.endpoint": "write it as 'models.base.endpoint'",
    "evaluation.base_prompts": "every method has its own: write 'base_prompts' in its section of 'methods'",
    **{name: f"write it as 'methods.{name}'" for name in METHODS},
    **{
        f"methods.{name}.{key}": f"write it as '{now}'"
        for name, method in METHODS.items()
        for key, now in method.gone.items()
    },
}
"""Settings of earlier versions, and what takes their place."""


def _check_gone(config: Mapping[str, Any], files: list[Path | str]) -> None:
    for key, remedy in _GONE.items():
        keys, node = key.split("."), config
        for part in keys:
            node = node.get(part, _MISSING) if isinstance(node, Mapping) else _MISSING
        if node is not _MISSING:
            raise UserError(f"setting '{key}'{_file_with(keys, files)} is no more; {remedy}")
    engine = config.get("generation")
    if isinstance(engine, Mapping) and engine.get("engine") == "endpoint":
        raise UserError(
            "setting 'generation.engine' is no more endpoint; describe the server that plays the base in "
            "'models.base.endpoint'"
        )


def _check_variants(settings: Settings, method: Method, section: Any, files: list[Path | str]) -> None:
    """Whether the variants that are run exist, and every variant's settings are right."""
    for name in section.run:
        if name != "main" and name not in section.variants:
            hint = nearest(name, ["main", *section.variants])
            meant = f"did you mean '{hint}'?" if hint else f"known: {', '.join(['main', *section.variants])}"
            raise UserError(f"setting 'methods.{method.name}.run' names the unknown variant '{name}'; {meant}")
    variants = {"main": section.variant("main")}
    for name in section.variants:
        try:
            variants[name] = section.variant(name)
        except ValidationError as error:
            raise _user_error(error, ("methods", method.name, "variants", name), files) from None
    method.check(settings, variants)


def _user_error(error: ValidationError, prefix: tuple[str, ...], files: list[Path | str]) -> UserError:
    return UserError("; ".join(_sentence(dict(e), prefix, files) for e in error.errors()))


def _sentence(error: dict[str, Any], prefix: tuple[str, ...], files: list[Path | str]) -> str:
    keys = [*prefix, *(str(part) for part in error["loc"])]
    key = ".".join(keys)
    where = _file_with(keys, files)
    if error["type"] == "extra_forbidden":
        known = _keys_of([*keys[:2], *keys[4:-1]] if prefix else keys[:-1])
        hint = nearest(keys[-1], known) or nearest(keys[-1], _all_keys())
        meant = f"did you mean '{hint}'?" if hint else f"known keys here: {', '.join(sorted(known))}"
        return f"unknown setting '{key}'{where}; {meant}"
    value = error.get("input")
    message = error["msg"][0].lower() + error["msg"][1:]
    if error["type"] in {"float_type", "int_type"} and isinstance(value, str):
        try:
            hint = f"; write it as {float(value)!r} with a decimal point and no quotes"
            hint = hint if "e" not in value.lower() else f"; YAML reads it as text: write {_yaml_float(value)}"
        except ValueError:
            hint = ""
        return f"setting '{key}' is the text '{value}'{where}, but {message}{hint}"
    return f"setting '{key}' is {value!r}{where}, but {message}"


def _yaml_float(text: str) -> str:
    mantissa, _, exponent = text.lower().partition("e")
    return f"{mantissa if '.' in mantissa else mantissa + '.0'}e{exponent}"


def _file_with(keys: list[str], files: list[Path | str]) -> str:
    """' in FILE' for the last file that sets the key: overlays come later and win."""
    for file in reversed(files):
        node: Any = yaml.safe_load(Path(file).read_text(encoding="utf-8")) or {}
        for key in keys:
            node = node.get(key, _MISSING) if isinstance(node, Mapping) else node
        if node is not _MISSING:
            return f" in {file}"
    return ""


_MISSING = object()


def _keys_of(path: list[str]) -> set[str]:
    """The keys that may stand at a place of the settings."""
    section: Any = Settings
    for key in path:
        field = section.model_fields.get(key) if hasattr(section, "model_fields") else None
        section = next(iter(sections_in(field.annotation)), None) if field else section
    return set(section.model_fields) if hasattr(section, "model_fields") else set()


def _all_keys(section: type[Section] = Settings) -> set[str]:
    keys = set(section.model_fields)
    for field in section.model_fields.values():
        for inner in sections_in(field.annotation):
            keys |= _all_keys(inner)
    return keys
