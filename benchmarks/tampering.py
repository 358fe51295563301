"""Is every one of 500 random changes to a signed release or a ledger named, and none accepted?

Run from the root of the repository: `python benchmarks/tampering.py`. The result stands in `results/tampering.json`.
"""

from __future__ import annotations

import argparse
import collections
import random
import shutil
import sys
import tempfile
import time
from pathlib import Path

from results_file import RESULTS, ROOT, facts, write

sys.path.insert(0, str(ROOT / "tests" / "support"))

from tampering import Place, make_place, tamper


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--changes", type=int, default=500)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--results", type=Path, default=RESULTS)
    given = parser.parse_args()
    started = time.perf_counter()
    with tempfile.TemporaryDirectory() as folder:
        document = measure(Path(folder), changes=given.changes, seed=given.seed)
    document["seconds"] = round(time.perf_counter() - started, 1)
    write(document, "tampering", given.results)
    print({name: document[name] for name in ("changes", "named", "accepted", "untouched", "untouched_sound")})
    if document["accepted"] or document["named"] < document["changes"] or document["faults"]:
        sys.exit(1)


def measure(folder: Path, *, changes: int, seed: int) -> dict:
    template, chosen = make_place(folder / "template"), random.Random(seed)  # noqa: S311 - no secret
    kinds, codes, faults = collections.Counter(), collections.Counter(), []
    named = accepted = untouched = sound = 0
    for number in range(changes):
        root = folder / "place"
        shutil.copytree(template.root, root, symlinks=True)
        place = Place(root)
        if number % 10 == 0:
            untouched += 1
            sound += place.found() == (0, [], 0, [])
        kind, beginnings = tamper(place, chosen)
        code, said, ledger_code, ledger_said = place.found()
        if kind.startswith("ledger"):
            code, said = ledger_code, ledger_said
        is_named = any(line.startswith(one) for line in said for one in beginnings)
        kinds[kind] += 1
        codes[str(code)] += 1
        accepted += code == 0
        named += is_named
        if code == 0 or not is_named:
            faults.append({"number": number, "kind": kind, "expected": beginnings, "said": said})
        shutil.rmtree(root)
    return {
        "facts": facts("monai-unlearn", "model-signing", "cryptography", seed=seed),
        "changes": changes,
        "named": named,
        "accepted": accepted,
        "untouched": untouched,
        "untouched_sound": sound,
        "kinds": dict(sorted(kinds.items())),
        "exit_codes": dict(sorted(codes.items())),
        "faults": faults,
    }


if __name__ == "__main__":
    main()
