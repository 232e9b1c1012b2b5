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

from bestpath.core.errors import UserError, nearest
from bestpath.plan import METHODS
from bestpath.settings import Section, Settings, plain, sections_in


def load(config: Mapping[str, Any], files: Iterable[Path | str] = ()) -> Settings:
    """The settings of a merged configuration.

    `files` are the configuration files it came from, so that an error can name the one at fault. Raises
    UserError with one sentence for each mistake.
    """
    files = list(files)
    try:
        settings = Settings.model_validate(plain(config))
    except ValidationError as error:
        raise _user_error(error, (), files) from None
    _check_variants(settings, files)
    return settings


def _check_variants(settings: Settings, files: list[Path | str]) -> None:
    """Whether the variants that are run exist, and every variant's settings are right."""
    for method in METHODS:
        section = getattr(settings, method)
        for name in section.run:
            if name != "main" and name not in section.variants:
                hint = nearest(name, ["main", *section.variants])
                meant = f"did you mean '{hint}'?" if hint else f"known: {', '.join(['main', *section.variants])}"
                raise UserError(f"setting '{method}.run' names the unknown variant '{name}'; {meant}")
        for name in section.variants:
            try:
                section.variant(name)
            except ValidationError as error:
                raise _user_error(error, (method, "variants", name), files) from None
    variants = {name: settings.gsi.variant(name) for name in ["main", *settings.gsi.variants]}
    for name, variant in variants.items():
        if variant.sample.mode != settings.gsi.sample.mode:
            raise UserError(f"variant '{name}' of gsi has a mode of its own; set gsi.sample.mode for all of them")
        other = variant.select.tokens_of
        guides = other is not None and other in variants and variants[other].guidance.strategy != "none"
        if other is not None and (not guides or variants[other].select.tokens_of):
            raise UserError(
                f"variant '{name}' of gsi takes the tokens of '{other}', which is no variant with a guided phase of "
                "its own; name one in gsi.select.tokens_of"
            )


def _user_error(error: ValidationError, prefix: tuple[str, ...], files: list[Path | str]) -> UserError:
    return UserError("; ".join(_sentence(dict(e), prefix, files) for e in error.errors()))


def _sentence(error: dict[str, Any], prefix: tuple[str, ...], files: list[Path | str]) -> str:
    keys = [*prefix, *(str(part) for part in error["loc"])]
    key = ".".join(keys)
    where = _file_with(keys, files)
    if error["type"] == "extra_forbidden":
        known = _keys_of([keys[0], *keys[3:-1]] if prefix else keys[:-1])
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
