"""Counts the rooms of a package and the arrows between them: `python -m docs.rooms worker app [--arrows]`.

A room is what stands directly in the package, a folder or a file; an arrow says that one room imports another.
"""

import sys

import grimp


def rooms_and_arrows(package: str) -> tuple[set[str], set[tuple[str, str]]]:
    """The rooms' names, and (importer, imported) once for each pair of rooms."""
    graph = grimp.build_graph(package)
    rooms = {child.rpartition(".")[2] for child in graph.find_children(package)}
    arrows = {
        (importer.split(".")[1], imported.split(".")[1])
        for importer in graph.modules - {package}
        for imported in graph.find_modules_directly_imported_by(importer) - {package}
    }
    return rooms, {(importer, imported) for importer, imported in arrows if importer != imported}


def main(arguments: list[str]) -> None:
    for package in [name for name in arguments if not name.startswith("-")]:
        rooms, arrows = rooms_and_arrows(package)
        print(f"{package}: {len(rooms)} rooms, {len(arrows)} arrows")
        if "--arrows" in arguments:
            for room in sorted(rooms):
                print(f"  {room} -> {' '.join(sorted(imported for importer, imported in arrows if importer == room))}")


if __name__ == "__main__":
    main(sys.argv[1:])
