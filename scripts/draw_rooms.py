"""Draw the rooms of the package from its imports, into docs/architecture.md.

    python scripts/draw_rooms.py

Imports inside functions, under TYPE_CHECKING and in the stubs of lazy faces count. Ends with 1, and changes nothing,
where modules import each other in a circle or a room imports one above it in the layers of pyproject.toml.
"""

from __future__ import annotations

import ast
import sys
from dataclasses import dataclass
from pathlib import Path

import grimp
import networkx as nx  # torch requires it

if sys.version_info >= (3, 11):
    import tomllib
else:
    import tomli as tomllib  # import-linter requires it

ROOT = Path(__file__).resolve().parent.parent
PACKAGE = "monai_unlearn"
PAGE = ROOT / "docs" / "architecture.md"
BEGIN = "<!-- rooms: drawn by scripts/draw_rooms.py -->"
END = "<!-- end of rooms -->"

# `CohortSpec.resolve`, which users call, imports the sub-room above when it is called, and returns its type.
_SPEC, _RESOLVE = f"{PACKAGE}.cohort.spec.spec", f"{PACKAGE}.cohort.resolve"
ALLOWED = ((_SPEC, f"{_RESOLVE}.resolve"), (_SPEC, f"{_RESOLVE}.cohort"))


@dataclass(frozen=True)
class Layers:
    """One layers contract of import-linter: `rooms` gives each room of the container its height, 0 at the top."""

    container: str
    rooms: dict[str, int]


def imports() -> nx.DiGraph:
    """Return the graph of modules, with an arrow from each module to each that it imports."""
    found = grimp.build_graph(PACKAGE, exclude_type_checking_imports=False)
    graph = nx.DiGraph()
    graph.add_nodes_from(found.modules)
    for module in found.modules:
        graph.add_edges_from((module, other) for other in found.find_modules_directly_imported_by(module))
    for stub in sorted((ROOT / PACKAGE).rglob("__init__.pyi")):
        face = ".".join(stub.parent.relative_to(ROOT).parts)
        graph.add_edges_from((face, f"{face}.{name}") for name in relative_imports(stub.read_text(encoding="utf-8")))
    graph.remove_edges_from(ALLOWED)
    return graph


def relative_imports(code: str) -> list[str]:
    """Return the modules that `from .a.b import c` names in a stub: `a.b`."""
    nodes = [node for node in ast.walk(ast.parse(code)) if isinstance(node, ast.ImportFrom) and node.level == 1]
    return [node.module for node in nodes if node.module]


def contracts() -> list[Layers]:
    """Return the layers of pyproject.toml, the whole package first."""
    with (ROOT / "pyproject.toml").open("rb") as stream:
        found = tomllib.load(stream)["tool"]["importlinter"]["contracts"]
    layered = [contract for contract in found if contract["type"] == "layers"]
    heights = (
        {name.strip(): height for height, names in enumerate(contract["layers"]) for name in names.split("|")}
        for contract in layered
    )
    every = [Layers(contract["containers"][0], rooms) for contract, rooms in zip(layered, heights, strict=True)]
    return sorted(every, key=lambda layers: layers.container)


def circles(graph: nx.DiGraph) -> list[list[str]]:
    """Return the sets of modules that import each other, in a circle of any length."""
    found = (sorted(part) for part in nx.strongly_connected_components(graph) if len(part) > 1)
    return sorted(found)


def arrows(graph: nx.DiGraph, layers: Layers) -> nx.DiGraph:
    """Return the rooms of a container, with an arrow where a module of one imports a module of another."""
    rooms = nx.DiGraph()
    rooms.add_nodes_from(layers.rooms)
    ends = ((room_of(a, layers), room_of(b, layers)) for a, b in graph.edges)
    rooms.add_edges_from((a, b) for a, b in ends if a and b and a != b)
    return rooms


def room_of(module: str, layers: Layers) -> str | None:
    """Return the room of a container that a module is in; None for the container itself and what is outside it."""
    inside = module.removeprefix(f"{layers.container}.")
    name = inside.partition(".")[0]
    return name if inside != module and name in layers.rooms else None


def upward(rooms: nx.DiGraph, layers: Layers) -> list[str]:
    """Return the arrows that do not run down the layers."""
    return sorted(f"{layers.container}: {a} → {b}" for a, b in rooms.edges if layers.rooms[a] >= layers.rooms[b])


def faults(graph: nx.DiGraph, every: list[Layers]) -> list[str]:
    """Return every circle of modules and every arrow upward, in words."""
    found = [f"circle of imports: {', '.join(modules)}" for modules in circles(graph)]
    return found + [f"upward import: {arrow}" for layers in every for arrow in upward(arrows(graph, layers), layers)]


def diagram(graph: nx.DiGraph, every: list[Layers]) -> str:
    """Return the rooms as Mermaid: an arrow from each room to each that it imports, unless a longer way says it."""
    lines = ["flowchart TD"]
    for layers in every:
        inner = layers.container.removeprefix(PACKAGE).lstrip(".")
        prefix, indent = (f"{inner}_", "    ") if inner else ("", "  ")
        drawn = nx.transitive_reduction(arrows(graph, layers))
        body = [f'{prefix}{name}["{name}"]' for name in layers.rooms if inner]
        body += [
            f"{prefix}{a} --> {prefix}{b}"
            for a, b in sorted(drawn.edges, key=lambda ends: [layers.rooms[end] for end in ends] + [*ends])
        ]
        if inner:
            lines.append(f"  subgraph {inner}")
        lines += [indent + line for line in body]
        if inner:
            lines.append("  end")
    return "\n".join(lines)


def page(text: str, drawn: str) -> str:
    """Return the page with the drawing between its markers."""
    before, _, rest = text.partition(BEGIN)
    _, _, after = rest.partition(END)
    return f"{before}{BEGIN}\n```mermaid\n{drawn}\n```\n{END}{after}"


def main() -> int:
    graph, every = imports(), contracts()
    found = faults(graph, every)
    for fault in found:
        print(fault, file=sys.stderr)
    if not found:
        PAGE.write_text(page(PAGE.read_text(encoding="utf-8"), diagram(graph, every)), encoding="utf-8")
    return 1 if found else 0


if __name__ == "__main__":
    sys.exit(main())
