"""Options as data: a dataclass field says how an option is read, what it may be, and what it means.

    @dataclass(frozen=True, slots=True, kw_only=True)
    class PlanOptions(Options):
        n: int = option(10, Whole(1, 1000), "images wanted for each class")

From such fields come the checks here, whoever makes the options, and on the command line the flags, the help, the
completion and the table in `docs/options.md`. Pure: nothing is looked up on a disk.
"""

from __future__ import annotations

import dataclasses
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final, Generic, Self, TypeVar, cast

from scraper.errors import OptionError
from scraper.kinds import Flag, Value

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from scraper.kinds import Kind

_OPTION: Final = "option"
_GROUP: Final = "group"


@dataclass(frozen=True, slots=True)
class Option(Generic[Value]):
    """What an option is, beside its name and default.

    Attributes:
        kind: how its values are read.
        help: what it means, one phrase.
        flag: its name on the command line, with `-` as in Python `_`; empty where it has none.
        inverted: whether the flag says the contrary of the field.
        was: flags that meant it once, which are refused with its name now.
    """

    kind: Kind[Value]
    help: str
    flag: str = ""
    inverted: bool = False
    was: tuple[str, ...] = ()


def option(
    default: Value,
    kind: Kind[Any],
    help: str,
    *,
    flag: str | None = None,
    inverted: bool = False,
    was: tuple[str, ...] = (),
) -> Value:
    """A dataclass field that is an option; without `flag` its flag is its name, with an empty one it has none."""
    metadata = {_OPTION: (Option(kind, help, "", inverted, was), flag)}
    field: Value = dataclasses.field(default=default, metadata=metadata)  # a field, to whom only the decorator looks
    return field


Some = TypeVar("Some", bound="Options")


def group(options: type[Some], name: str) -> Some:
    """A dataclass field that holds options of its own, which help shows under `name`."""
    field: Some = dataclasses.field(default_factory=options, metadata={_GROUP: name})
    return field


class Options:
    """Base of dataclasses of options: converts and checks what it is given, wherever that comes from."""

    __slots__ = ()

    def __post_init__(self) -> None:
        """Convert and check every field.

        Raises:
            OptionError: one cannot be what it is given as.
        """
        for field in dataclasses.fields(cast("Any", self)):
            given = getattr(self, field.name)
            value = _taken(field, given)
            if value is not given:
                object.__setattr__(self, field.name, value)
        self._agree()

    def _agree(self) -> None:
        """Refuse options that contradict each other; for those to whom it matters.

        Raises:
            OptionError: two do.
        """

    @classmethod
    def or_default(cls, given: Self | None) -> Self:
        """The options that a function was given; the defaults where it was given none.

        Raises:
            OptionError: they are of another kind.
        """
        if given is not None and not isinstance(given, cls):
            raise OptionError("options", f"must be {cls.__name__}, not {given!r}")
        return cls() if given is None else given

    @classmethod
    def flags(cls) -> Iterator[tuple[str, FlagSpec]]:
        """Every option that has a flag, groups included, by the flag's name with `_` for `-`."""
        for field in dataclasses.fields(cast("Any", cls)):
            if _GROUP in field.metadata:
                inner = cast("type[Options]", field.default_factory)
                for name, spec in inner.flags():
                    yield name, dataclasses.replace(spec, group=field.metadata[_GROUP])
            elif (flag := _option_of(field)).flag:
                yield flag.flag, FlagSpec(field.name, flag, field.default)

    @classmethod
    def read(cls, given: Mapping[str, object]) -> Self:
        """Options from flags: those given, by the names that `flags` has; others have their defaults.

        Raises:
            OptionError: one is wrong.
        """
        values: dict[str, object] = {}
        for field in dataclasses.fields(cast("Any", cls)):
            if _GROUP in field.metadata:
                values[field.name] = cast("type[Options]", field.default_factory).read(given)
            elif (known := _option_of(field)).flag in given:
                value = given[known.flag]
                values[field.name] = not Flag().take(value) if known.inverted else value
        return cls(**values)


@dataclass(frozen=True, slots=True)
class FlagSpec:
    """One flag of a command: the field behind it, what it is, its default, and the group help shows it in."""

    field: str
    option: Option[Any]
    default: object
    group: str = ""

    @property
    def switch(self) -> bool:
        """Whether it is given without a value."""
        return isinstance(self.option.kind, Flag)

    @property
    def on(self) -> bool:
        """Whether a switch is on without being given."""
        return bool(self.default) is not self.option.inverted


def _option_of(field: dataclasses.Field[Any]) -> Option[Any]:
    known, flag = field.metadata[_OPTION]
    return dataclasses.replace(known, flag=field.name if flag is None else flag)


def _taken(field: dataclasses.Field[Any], given: object) -> object:
    if _GROUP in field.metadata:
        wanted = cast("type[Options]", field.default_factory)
        if not isinstance(given, wanted):
            raise OptionError(field.name, f"must be {wanted.__name__}, not {given!r}")
        return given
    if given is None and field.default is None:
        return None
    try:
        return _option_of(field).kind.take(given)
    except ValueError as error:
        raise OptionError(field.name, str(error)) from None
