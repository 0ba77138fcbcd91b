"""What `pyarrow.flight` offers, one name a line: `Class(parameter, …)`, `Class.member`, `Class.method(parameter, …)`.

    python surface.py
"""

import enum
import inspect
import re
import warnings

import pyarrow.flight as flight

# What a class can do by a language feature of Python, and users of other languages ask for as well.
SPECIAL = {"__enter__", "__iter__", "__next__", "__eq__", "__hash__", "__str__"}


def parameters_of_text(text):
    """The parameters in a signature that Cython put into a docstring; None when there is none."""
    first = (text or "").strip().split("\n")[0]
    match = re.match(r"[\w.]+\((.*)\)\s*(->.*)?$", first)
    if match is None:
        return None
    parts, depth, part = [], 0, ""
    for letter in match.group(1):
        depth += (letter in "([") - (letter in ")]")
        if letter == "," and depth == 0:
            parts.append(part)
            part = ""
        else:
            part += letter
    names = [p.split("=")[0].split(":")[0].split()[-1] for p in [*parts, part] if p.strip()]
    return [n for n in names if n not in ("self", "cls", "/", "*") and not n.startswith("**")]


def parameters(thing):
    try:
        found = inspect.signature(thing).parameters.values()
    except (TypeError, ValueError):
        return parameters_of_text(thing.__doc__) or []
    names = [p.name for p in found if p.kind is not p.VAR_KEYWORD and p.name not in ("self", "cls")]
    return names


def signature(name, names):
    names = [n.lstrip("*") for n in names]
    return f"{name}({', '.join(names)})" if names else name


def members(cls):
    plain = next((base for base in (tuple, enum.Enum, BaseException) if issubclass(cls, base)), object)
    for name in sorted(dir(cls)):
        value = getattr(cls, name, None)
        own = not hasattr(plain, name) or getattr(plain, name) is not value
        if name.startswith("_") and (name not in SPECIAL or plain is not object):
            continue
        if own and value is not getattr(object, name, None) and not (name == "__hash__" and value is None):
            yield name, value


def surface():
    warnings.simplefilter("ignore")
    for name in sorted(dir(flight)):
        thing = getattr(flight, name)
        if name.startswith("_") or inspect.ismodule(thing):
            continue
        if not inspect.isclass(thing):
            yield signature(name, parameters(thing))
            continue
        yield name if issubclass(thing, enum.Enum) else signature(name, parameters(thing))
        for member, value in members(thing):
            takes = parameters(value) if callable(value) and not member.startswith("__") else []
            yield signature(f"{name}.{member}", takes)


if __name__ == "__main__":
    print("\n".join(surface()))
