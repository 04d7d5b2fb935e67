"""`dataclass` as the standard library's, made in a tenth of its time: `install_transport()` loads ninety of them.

That one writes and compiles six methods for each class: 0.5 ms. Here ``__init__`` is compiled when the first instance
is made, and the others are functions that read all fields at once. The fields are the standard library's own, so
``dataclasses.replace``, ``fields``, ``asdict`` and dataclasses derived from ours work as ever. Standard library only.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from dataclasses import dataclass as dataclass
else:
    import dataclasses
    from collections.abc import Callable
    from operator import attrgetter
    from reprlib import recursive_repr

    _put = object.__setattr__

    def dataclass(
        *, frozen: bool = False, slots: bool = False, eq: bool = True, kw_only: bool = False
    ) -> Callable[[type], type]:
        """See the module."""

        def make(cls: type) -> type:
            if dataclasses.is_dataclass(cls):  # derived from one: rare, and that one's rules are its own
                return dataclasses.dataclass(frozen=frozen, slots=slots, eq=eq, kw_only=kw_only)(cls)
            if cls.__doc__ is None:
                cls.__doc__ = cls.__name__  # or its signature would be made one, by way of `inspect`
            methods = {"__init__": None, "__repr__": _repr}
            if eq:
                methods.update(__eq__=None, __hash__=None)
            written = methods.keys() & vars(cls).keys()  # by hand: they stay
            made = dataclasses.dataclass(init=False, repr=False, eq=False, slots=slots, kw_only=kw_only)(cls)
            told = made.__dataclass_params__
            told.init, told.repr, told.eq, told.frozen = True, True, eq, frozen
            methods["__init__"] = _Init(made, frozen)
            if eq:
                methods["__eq__"], hashed = _comparing(made)
                methods["__hash__"] = hashed if frozen else None
            if frozen:
                methods["__setattr__"], methods["__delattr__"] = _refusing(made)
                if slots:
                    methods.update(__getstate__=_getstate, __setstate__=_setstate)
            for name, method in methods.items():
                if name not in written:
                    setattr(made, name, method)
            return made

        return make

    class _Factory:
        def __repr__(self) -> str:
            return "<factory>"  # in signatures

    _made_anew = _Factory()

    class _Init:
        """Stands for an ``__init__`` until somebody looks at it."""

        def __init__(self, cls: type, frozen: bool) -> None:
            self._cls = cls
            self._frozen = frozen

        def __get__(self, instance: object, owner: type | None = None) -> Callable[..., None]:
            made = _written(self._cls, self._frozen)
            if vars(self._cls).get("__init__") is self:
                self._cls.__init__ = made
            return made.__get__(instance, owner)

    def _written(cls: type, frozen: bool) -> Callable[..., None]:
        """``__init__``, as the standard library writes it."""
        missing = dataclasses.MISSING
        known = {"_put": _put, "_made_anew": _made_anew}
        places, keywords, body = ["self"], [], []
        for one in dataclasses.fields(cls):
            name, value, default = one.name, one.name, ""
            if one.default_factory is not missing:
                known[f"_new_{name}"] = one.default_factory
                value = f"_new_{name}() if {name} is _made_anew else {name}" if one.init else f"_new_{name}()"
                default = "=_made_anew"
            elif one.default is not missing:
                known[f"_default_{name}"] = one.default
                default = f"=_default_{name}"
                value = name if one.init else f"_default_{name}"
            elif not one.init:
                continue  # for `__post_init__`
            if one.init:
                (keywords if one.kw_only else places).append(name + default)
            body.append(f"_put(self, {name!r}, {value})" if frozen else f"self.{name} = {value}")
        if hasattr(cls, "__post_init__"):
            body.append("self.__post_init__()")
        arguments = ", ".join([*places, "*", *keywords] if keywords else places)
        exec(f"def __init__({arguments}):\n  " + "\n  ".join(body or ["pass"]), known)
        made = known["__init__"]
        made.__qualname__, made.__module__ = f"{cls.__qualname__}.__init__", cls.__module__
        made.__annotations__ = {**{one.name: one.type for one in dataclasses.fields(cls) if one.init}, "return": None}
        return made

    @recursive_repr()
    def _repr(self: object) -> str:
        shown = [f"{one.name}={getattr(self, one.name)!r}" for one in dataclasses.fields(self) if one.repr]
        return f"{type(self).__qualname__}({', '.join(shown)})"

    def _reader(names: list[str]) -> Callable[[object], tuple[object, ...]]:
        if len(names) > 1:
            return attrgetter(*names)
        return lambda self: tuple([getattr(self, name) for name in names])  # of one name it would be no tuple

    def _comparing(cls: type) -> tuple[Callable[[object, object], object], Callable[[object], int]]:
        every = dataclasses.fields(cls)
        compared = _reader([one.name for one in every if one.compare])
        hashed = _reader([one.name for one in every if (one.compare if one.hash is None else one.hash)])

        def __eq__(self: object, other: object) -> object:
            return compared(self) == compared(other) if other.__class__ is self.__class__ else NotImplemented

        def __hash__(self: object) -> int:
            return hash(hashed(self))

        return __eq__, __hash__

    def _refusing(cls: type) -> tuple[Callable[..., None], Callable[..., None]]:
        fields = cls.__dataclass_fields__

        def __setattr__(self: object, name: str, value: object) -> None:
            if type(self) is cls or name in fields:
                raise dataclasses.FrozenInstanceError(f"cannot assign to field {name!r}")
            super(cls, self).__setattr__(name, value)

        def __delattr__(self: object, name: str) -> None:
            if type(self) is cls or name in fields:
                raise dataclasses.FrozenInstanceError(f"cannot delete field {name!r}")
            super(cls, self).__delattr__(name)

        return __setattr__, __delattr__

    def _getstate(self: object) -> list[object]:
        return [getattr(self, one.name) for one in dataclasses.fields(self)]

    def _setstate(self: object, state: list[object]) -> None:
        for one, value in zip(dataclasses.fields(self), state, strict=True):
            _put(self, one.name, value)
