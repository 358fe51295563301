"""The diagram of rooms in docs/architecture.md is that of the imports, and the imports run one way."""

from __future__ import annotations

import re

import networkx as nx
import pytest
from script import load_script

draw = load_script("scripts/draw_rooms.py")
PAGE = draw.PAGE.read_text(encoding="utf-8")
MODULES, CONTRACTS = draw.imports(), draw.contracts()


def test_no_modules_import_each_other_in_a_circle():
    assert draw.circles(MODULES) == []


@pytest.mark.parametrize("layers", CONTRACTS, ids=lambda layers: layers.container)
def test_no_room_imports_one_above_it(layers):
    assert draw.upward(draw.arrows(MODULES, layers), layers) == []


def test_the_diagram_is_that_of_the_imports():
    assert PAGE.count(draw.BEGIN) == PAGE.count(draw.END) == 1
    expected = draw.page(PAGE, draw.diagram(MODULES, CONTRACTS))
    assert expected == PAGE, "run: python scripts/draw_rooms.py"


def test_every_room_is_described():
    table = PAGE.partition("## Rooms")[2].partition("\n## ")[0]
    described = {name.partition(".")[0].strip("/") for name in re.findall(r"^\| `([\w./]+)`", table, re.MULTILINE)}
    rooms = set(CONTRACTS[0].rooms)
    assert described == rooms


def test_every_package_that_a_contract_orders_is_in_it_whole():
    assert {layers.container for layers in CONTRACTS} >= {
        "monai_unlearn",
        "monai_unlearn.cohort",
        "monai_unlearn.index",
    }
    for layers in CONTRACTS:
        inside = {
            module.removeprefix(f"{layers.container}.").partition(".")[0]
            for module in MODULES
            if module.startswith(f"{layers.container}.")
        }
        assert inside - {"__main__"} == set(layers.rooms)


# What the checks above would let through would not be checked.

LAYERS = draw.Layers("house", {"attic": 0, "hall": 1, "cellar": 2})


def house(*edges: tuple[str, str]) -> nx.DiGraph:
    return nx.DiGraph([(f"house.{a}", f"house.{b}") for a, b in edges])


def test_a_circle_is_found_with_its_modules():
    graph = house(("attic.a", "attic.b"), ("attic.b", "attic.c"), ("attic.c", "attic.a"), ("attic.a", "hall"))
    assert draw.circles(graph) == [["house.attic.a", "house.attic.b", "house.attic.c"]]
    assert "circle of imports: house.attic.a, house.attic.b, house.attic.c" in draw.faults(graph, [LAYERS])


def test_an_arrow_upward_is_found():
    assert draw.faults(house(("cellar.x", "hall.y")), [LAYERS]) == ["upward import: house: cellar → hall"]
    assert draw.faults(house(("hall.y", "cellar.x"), ("hall.y", "hall.z")), [LAYERS]) == []


def test_a_longer_way_replaces_an_arrow():
    drawn = draw.diagram(house(("attic", "hall"), ("hall.a", "cellar"), ("attic", "cellar.b")), [LAYERS])
    assert [line.strip() for line in drawn.splitlines() if "-->" in line] == [
        "house_attic --> house_hall",
        "house_hall --> house_cellar",
    ]


def test_stubs_of_lazy_faces_count():
    assert draw.relative_imports("from .a.b import C\nfrom .d import e as f\nimport x") == ["a.b", "d"]
    assert ("monai_unlearn.index", "monai_unlearn.index.store.store") in MODULES.edges
