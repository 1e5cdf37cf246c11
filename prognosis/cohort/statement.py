"""What is wrong with a statement in YAML, a task's or a model's, in words that name the field meant."""

from __future__ import annotations

import difflib
import types
from collections.abc import Iterator
from pathlib import Path
from typing import Annotated, Any, Literal, Union, get_args, get_origin

import yaml
from pydantic import BaseModel, ValidationError

from prognosis.errors import InputError

_KEY = "[key]"  # pydantic's last step of a path that leads to a mapping's key


def read_yaml(path: Path, wrong: type[InputError], what: str) -> object:
    """The statement in a YAML file.

    Args:
        path: The file.
        wrong: The error to raise.
        what: What should have been given: "a task file".

    Raises:
        InputError: The file cannot be read, is not text, or is not YAML; as `wrong`, in one line.
    """
    try:
        return yaml.safe_load(path.read_text(encoding="utf-8"))
    except OSError as error:
        raise wrong(str(path), "cannot be read", f"give the path of {what}") from error
    except UnicodeDecodeError as error:
        raise wrong(str(path), "is not text in UTF-8", f"give the path of {what} in YAML") from error
    except yaml.YAMLError as error:
        raise wrong(str(path), not_yaml(error), "mend the YAML") from error


def not_yaml(error: yaml.YAMLError) -> str:
    """Where and why a text is not YAML, on one line."""
    mark = getattr(error, "problem_mark", None)
    if mark is None:
        return f"is not YAML ({' '.join(str(error).split())})"
    problem = getattr(error, "problem", None) or getattr(error, "context", None) or "cannot be parsed"
    return f"is not YAML (line {mark.line + 1}: {problem})"


def refusal(
    model: type[BaseModel], error: ValidationError, reference: str, wrong: type[InputError], remedy: str
) -> InputError:
    """The error that tells every fault of a statement.

    Args:
        model: What was to be stated.
        error: What pydantic found.
        reference: Where it was stated.
        wrong: The class of the error.
        remedy: What would be right, unless the only fault is a field of which the name meant is known.
    """
    faults = [
        _fault(model, fault["type"], fault["loc"], fault["msg"])
        for fault in error.errors(include_url=False, include_input=False)
    ]
    if len(faults) == 1 and faults[0][1]:
        return wrong(reference, *faults[0])
    told = "; ".join(f"{problem} ({meant})" if meant else problem for problem, meant in faults)
    return wrong(reference, told, remedy)


def _fault(model: type[BaseModel], kind: str, place: tuple[int | str, ...], message: str) -> tuple[str, str]:
    """A fault in words, and the name that was meant where one is near."""
    names, fields = _walk(model, place)
    path = _shown(".".join(names)) or "the statement"
    if kind == "missing":
        return f"{path} is needed", ""
    if kind == "model_type":
        return f"{path} is not a mapping of fields", ""
    if kind == "extra_forbidden":
        near = difflib.get_close_matches(names[-1], fields, n=1)
        return f"{path} is not a field", f"did you mean {near[0]}?" if near else ""
    return f"{path}: {message.removeprefix('Value error, ')}", ""


def _shown(path: str) -> str:
    """A path in which what does not print is named by its number: a key may be anything."""
    return "".join(each if each.isprintable() else f"U+{ord(each):04X}" for each in path)


def _walk(model: type[BaseModel], place: tuple[int | str, ...]) -> tuple[list[str], list[str]]:
    """A fault's path without the tags of unions, and the fields beside its last step."""
    names: list[str] = []
    fields: list[str] = []
    kinds: list[Any] = [model]
    for step in place:
        models = [kind for kind in kinds if isinstance(kind, type) and issubclass(kind, BaseModel)]
        tagged = [own for own in models if step in _tags(own)] if len(models) > 1 else []
        if step == _KEY or tagged or (len(kinds) > 1 and not models):
            kinds = tagged
            continue
        names.append(str(step))
        fields = [name for own in models for name in own.model_fields]
        found = [own.model_fields[step].annotation for own in models if step in own.model_fields]
        inside = [
            part for kind in kinds if kind not in models for part in get_args(kind)[-2:] if part is not ...
        ]
        kinds = [each for kind in (*found, *inside[-1:]) for each in _members(kind)]
    return names, fields


def _tags(model: type[BaseModel]) -> tuple[Any, ...]:
    """What tells a model from the others of a union: the values of its field "kind"."""
    field = model.model_fields.get("kind")
    return get_args(field.annotation) if field and get_origin(field.annotation) is Literal else ()


def _members(kind: object) -> Iterator[Any]:
    """The types that a value may have, without None."""
    if get_origin(kind) is Annotated:
        yield from _members(get_args(kind)[0])
    elif get_origin(kind) in (Union, types.UnionType):
        for each in get_args(kind):
            yield from _members(each)
    elif kind is not type(None):
        yield kind
