"""The text of single ids of a YAML config, with the comments above them."""

from __future__ import annotations

import re


def text_blocks(text: str) -> dict[str, str]:
    r"""Return the text of each id at the top level, with the comment lines right above it.

    >>> text_blocks("# Size.\nsize: [2, 2]\n\nnet:\n  depth: 3\n")
    {'size': '# Size.\nsize: [2, 2]', 'net': 'net:\n  depth: 3'}
    """
    blocks: dict[str, str] = {}
    waiting: list[str] = []
    name = ""
    for line in text.splitlines():
        if not line.strip():
            waiting, name = [], ""
        elif line.startswith("#"):
            waiting.append(line)
            name = ""
        elif found := re.match(r"([A-Za-z_]\w*):", line):
            name = found[1]
            blocks[name] = "\n".join([*waiting, line])
            waiting = []
        elif name:
            blocks[name] += f"\n{line}"
    return blocks
