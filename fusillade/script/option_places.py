"""Where in the author's files the exported ``options`` stand, value by value."""

from collections.abc import Mapping
from dataclasses import dataclass, field

from fusillade.script.scopes import name_of
from fusillade.script.syntax import Node
from fusillade.script.targets import Module

Path = tuple[str | int, ...]
"""Keys and indexes from the options to a value inside them; ``()`` is the whole."""

_MOST_STEPS = 20_000
_DEEPEST = 20


@dataclass(frozen=True, slots=True)
class Place:
    """A position as people count it: line and column from 1."""

    file: str
    line: int = 0
    column: int = 0


@dataclass(slots=True)
class OptionPlaces:
    """What is known of the options' source: as much of it as is object and array literals."""

    file: str
    """The entry module, for options whose place is not known."""
    values: dict[Path, Place] = field(default_factory=dict)
    keys: dict[Path, Place] = field(default_factory=dict)

    def of_value(self, path: Path) -> Place:
        """Where a value begins, or the innermost thing around it whose place is known."""
        return self._find(self.values, path)

    def of_key(self, path: Path) -> Place:
        """Where a property's name stands, or what is around it."""
        return self.keys.get(path) or self._find(self.values, path[:-1])

    def _find(self, places: Mapping[Path, Place], path: Path) -> Place:
        for length in range(len(path), -1, -1):
            place = places.get(path[:length])
            if place is not None:
                return place
        return Place(self.file)


def find_options(modules: Mapping[str, Module], entry: str) -> OptionPlaces:
    """Follow the export ``options`` of the entry through names and imports to its literals."""
    finder = _Finder(modules, OptionPlaces(entry))
    finder.exported(modules[entry], "options", 0)
    return finder.places


class _Finder:
    def __init__(self, modules: Mapping[str, Module], places: OptionPlaces) -> None:
        self._modules = modules
        self._steps = 0
        self.places = places

    def exported(self, module: Module, name: str, depth: int, path: Path = ()) -> None:
        export = module.exports.get(name)
        if export is None or depth > _DEEPEST:
            return
        if export.source is not None:
            self._imported(module, *export.source, depth, path)
        elif export.expression is not None:
            self._value(module, export.expression, path, depth)
        elif export.binding is not None:
            if export.binding.node is not None:
                self._note(self.places.values, module, export.binding.node, path)
            if export.binding.imported is not None:
                self._imported(module, *export.binding.imported, depth, path)
            elif len(export.binding.values) == 1:
                value = export.binding.values[0]
                if isinstance(value, Node):
                    self._value(module, value, path, depth)

    def _imported(self, module: Module, specifier: str, name: str, depth: int, path: Path) -> None:
        source = self._modules.get(module.imports.get(specifier, ""))
        if source is not None:
            self.exported(source, name, depth + 1, path)

    def _value(self, module: Module, node: Node, path: Path, depth: int) -> None:
        self._steps += 1
        if depth > _DEEPEST or self._steps > _MOST_STEPS:
            return
        match node.type:
            case "parenthesized_expression":
                self._value(module, node.items()[0], path, depth + 1)
            case "identifier" | "shorthand_property_identifier":
                self._name(module, node, path, depth)
            case "object":
                for item in node.items():
                    self._member(module, item, path, depth)
                # Last: what was spread into it has noted itself under the same path.
                self._note(self.places.values, module, node, path)
            case "array":
                self._note(self.places.values, module, node, path)
                for index, item in enumerate(node.items()):
                    if item.type == "spread_element":
                        break
                    self._value(module, item, (*path, index), depth + 1)
            case _:
                self._note(self.places.values, module, node, path)

    def _member(self, module: Module, item: Node, path: Path, depth: int) -> None:
        match item.type:
            case "pair":
                key = item.at("key")
                if key.type != "computed_property_name":
                    inner = (*path, name_of(key))
                    self._note(self.places.keys, module, key, inner)
                    self._value(module, item.at("value"), inner, depth + 1)
            case "shorthand_property_identifier":
                inner = (*path, item.text)
                self._note(self.places.keys, module, item, inner)
                self._value(module, item, inner, depth + 1)
            case "spread_element":
                self._value(module, item.items()[0], path, depth + 1)

    def _name(self, module: Module, node: Node, path: Path, depth: int) -> None:
        if path:
            self._note(self.places.values, module, node, path)
        binding = module.scopes.binding(node)
        if binding is None:
            return
        if binding.imported is not None:
            self._imported(module, *binding.imported, depth + 1, path)
        elif len(binding.values) == 1 and isinstance(binding.values[0], Node):
            self._value(module, binding.values[0], path, depth + 1)

    def _note(self, places: dict[Path, Place], module: Module, node: Node, path: Path) -> None:
        """A later place wins, as a later property does."""
        source = module.scopes.tree.source
        places[path] = Place(source.path, *source.position(node.start))
