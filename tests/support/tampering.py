"""Changes releases and ledgers at random, as damage, mistakes and attackers do, and says which fault must name it."""

from __future__ import annotations

import json
import re
import shutil
from dataclasses import dataclass
from typing import TYPE_CHECKING

import torch
from release_example import rendered, write_keys, write_release
from torch import nn

from monai_unlearn.card.renderers import RENDERERS
from monai_unlearn.release import save_weights, write_sums
from monai_unlearn.release.check_store import report_of
from monai_unlearn.release.promote import act_of, promote, reject
from monai_unlearn.release.sign import sign
from monai_unlearn.release.signature import write_signature
from monai_unlearn.release.verify import verify

if TYPE_CHECKING:
    import random
    from collections.abc import Callable
    from pathlib import Path

CARDS = tuple(name for name in RENDERERS if not name.endswith(".json"))


@dataclass(frozen=True)
class Place:
    """A signed release and a store with a ledger, in one folder.

    Attributes:
        root: The folder: `bundle`, `bundle.sig`, `other` (another release), `store`, and keys.
    """

    root: Path

    @property
    def bundle(self) -> Path:
        """The release."""
        return self.root / "bundle"

    @property
    def signature(self) -> Path:
        """Its signature."""
        return self.root / "bundle.sig"

    @property
    def lines(self) -> Path:
        """The lines of the ledger."""
        return self.root / "store" / "ledger.jsonl"

    def found(self) -> tuple[int, list[str], int, list[str]]:
        """Return exit code and lines of `verify`, and of `ledger verify`."""
        report = verify(self.bundle, public_key=self.root / "key.pub")
        ledger = report_of(self.root / "store", public_keys=[self.root / "key.pub"], heads=[])
        said = [fault["message"] for fault in ledger["faults"]]
        return report.exit_code, [fault.line for fault in report.faults], ledger["exit_code"], said

    def seal(self, key: str) -> None:
        """Write sums and signature of whatever is there, with a key."""
        write_sums(self.bundle)
        write_signature(self.bundle, self.root / f"{key}.pem", target=self.signature)


def make_place(root: Path) -> Place:
    """Make a release, sign it, promote it, and let more happen."""
    root.mkdir(parents=True, exist_ok=True)
    private, _ = write_keys(root)
    write_keys(root, "attacker")
    act = act_of(root / "store", private, who="lead", why="a reason")
    write_release(root / "other", version="1.0.5", seed=5)
    write_release(root / "bundle", seed=1)
    for name in ("other", "bundle"):
        sign(root / name, private, act=act)
        promote(root / name, act)
    write_release(root / "bad", version="1.2.0", verdict="inconclusive", seed=2)
    reject(root / "bad", act)
    return Place(root)


def tamper(place: Place, chosen: random.Random) -> tuple[str, list[str]]:
    """Change something.

    Args:
        place: The release and the ledger.
        chosen: What draws.

    Returns:
        The kind of the change, and what a fault must begin with: one of these.
    """
    kind = chosen.choice(sorted(KINDS))
    return kind, KINDS[kind](place, chosen)


def _file(place: Place, chosen: random.Random) -> Path:
    files = sorted(path for path in place.bundle.rglob("*") if path.is_file())
    return chosen.choice([*files, place.signature])


def _named(place: Place, path: Path) -> list[str]:
    if path == place.signature:
        return [f"{path.name}:"]
    return [f"{path.relative_to(place.bundle).as_posix()}:"]


def _flip(place: Place, chosen: random.Random) -> list[str]:
    path = _file(place, chosen)
    content = bytearray(path.read_bytes())
    content[chosen.randrange(len(content))] ^= 1 << chosen.randrange(8)
    path.write_bytes(content)
    return _named(place, path)


def _cut(place: Place, chosen: random.Random) -> list[str]:
    path = _file(place, chosen)
    content = path.read_bytes()
    path.write_bytes(content[: chosen.randrange(len(content))])
    return _named(place, path)


def _drop(place: Place, chosen: random.Random) -> list[str]:
    path = _file(place, chosen)
    path.unlink()
    return _named(place, path)


def _add(place: Place, chosen: random.Random) -> list[str]:
    folder = chosen.choice(
        ["", "configs/", "scripts/", "docs/", ".git/", ".git/hooks/", "models/", ".hidden/", "eval/"]
    )
    name = f"{folder}{chosen.choice('abc')}{chosen.choice(['.py', '.yaml', '', '.pt', '.json'])}"
    path = place.bundle / name
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(chosen.randbytes(chosen.randrange(20)))
    return [f"{name}:"]


def _rename(place: Place, chosen: random.Random) -> list[str]:
    path = _file(place, chosen)
    path.rename(path.with_name(f"{path.name}.old"))
    return _named(place, path)


def _link(place: Place, chosen: random.Random) -> list[str]:
    path = chosen.choice(sorted(one for one in place.bundle.rglob("*") if one.is_file()))
    kept = place.root / "elsewhere"
    path.rename(kept)
    path.symlink_to(kept)
    return _named(place, path)


def _sealed(place: Place, chosen: random.Random, names: list[str]) -> list[str]:
    """Leave a change as it is, hide it in the sums, or sign it with another key."""
    how = chosen.randrange(3)
    if how == 1:
        write_sums(place.bundle)
    elif how == 2:
        place.seal("attacker")
        return ["bundle.sig: was made with another key"]
    return names


def _figure(place: Place, chosen: random.Random) -> list[str]:
    name = chosen.choice([*CARDS, "model_card_diff.json"])
    _change_figure(place.bundle / "docs" / name, chosen)
    return _sealed(place, chosen, [f"docs/{name}:"])


def _figure_with_the_key(place: Place, chosen: random.Random) -> list[str]:
    """Change a figure of a rendering, and sign it: who holds the key is still held to the JSON."""
    name = chosen.choice(CARDS)
    _change_figure(place.bundle / "docs" / name, chosen)
    place.seal("key")
    return [f"docs/{name}: is not what its JSON gives"]


def _change_figure(path: Path, chosen: random.Random) -> None:
    text = path.read_text(encoding="utf-8")
    found = chosen.choice([match.start() for match in re.finditer(r"\d", text)])
    digit = chosen.choice([one for one in "0123456789" if one != text[found]])
    path.write_text(f"{text[:found]}{digit}{text[found + 1 :]}", encoding="utf-8")


def _metric_with_the_key(place: Place, chosen: random.Random) -> list[str]:
    path = place.bundle / "configs" / "metadata.json"
    metadata = json.loads(path.read_text(encoding="utf-8"))
    name = chosen.choice(sorted(metadata["eval_metrics"]))
    metadata["eval_metrics"][name] += 0.01
    path.write_text(json.dumps(metadata), encoding="utf-8")
    place.seal("key")
    return [f"configs/metadata.json: eval_metrics.{name} is"]


def _swap_cards(place: Place, chosen: random.Random) -> list[str]:
    for path in (place.root / "other" / "docs").glob("model_card_diff*"):
        shutil.copy(path, place.bundle / "docs" / path.name)
    if chosen.random() < 0.5:
        return _sealed(place, chosen, ["docs/model_card_diff.json:"])
    place.seal("key")
    return ["docs/model_card_diff.json: revised."]


def _swap_weights(place: Place, chosen: random.Random) -> list[str]:
    torch.manual_seed(chosen.randrange(1000))
    save_weights(
        nn.Sequential(nn.Linear(3, 8), nn.BatchNorm1d(8), nn.Linear(8, 2)), place.bundle / "models" / "model.pt"
    )
    if chosen.random() < 0.5:
        return _sealed(place, chosen, ["models/model.pt:"])
    place.seal("key")
    return ["lineage.json: ends with weights"]


def _better_verdict(place: Place, chosen: random.Random) -> list[str]:
    """Rewrite verdict and renderings together, and sign them: the lineage still says what was found."""
    path = place.bundle / "docs" / "model_card_diff.json"
    card = {**json.loads(path.read_text(encoding="utf-8")), "verdict": chosen.choice(["equivalent", "qualified"])}
    for name, text in rendered(card).items():
        (place.bundle / "docs" / name).write_text(text, encoding="utf-8")
    place.seal("key")
    return ["docs/model_card_diff.json: verdict is"]


def _ledger_flip(place: Place, chosen: random.Random) -> list[str]:
    content = bytearray(place.lines.read_bytes())
    where = chosen.randrange(len(content))
    number = content[:where].count(b"\n") + 1
    content[where] ^= 1 << chosen.randrange(8)
    place.lines.write_bytes(content)
    return [f"line {number}:", f"line {number + 1}:"]


def _ledger_edit(place: Place, chosen: random.Random) -> list[str]:
    lines = place.lines.read_bytes().splitlines()
    number = chosen.randrange(len(lines))
    lines[number] = lines[number].replace(b'"who":"lead"', b'"who":"boss"')
    place.lines.write_bytes(b"\n".join(lines) + b"\n")
    return [f"line {number + 1}: was edited"]


def _ledger_drop(place: Place, chosen: random.Random) -> list[str]:
    lines = place.lines.read_bytes().splitlines()
    number = chosen.randrange(len(lines))
    del lines[number]
    place.lines.write_bytes(b"\n".join(lines) + b"\n")
    return [f"line {number + 1}:"]


def _ledger_reorder(place: Place, chosen: random.Random) -> list[str]:
    lines = place.lines.read_bytes().splitlines()
    first, second = sorted(chosen.sample(range(len(lines)), 2))
    lines[first], lines[second] = lines[second], lines[first]
    place.lines.write_bytes(b"\n".join(lines) + b"\n")
    return [f"line {first + 1}:"]


def _ledger_cut(place: Place, chosen: random.Random) -> list[str]:
    content = place.lines.read_bytes()
    kept = content[: chosen.randrange(len(content))]
    place.lines.write_bytes(kept)
    return [f"line {kept.count(bytes([10])) + 1}:"]


KINDS: dict[str, Callable[[Place, random.Random], list[str]]] = {
    "bit flipped": _flip,
    "file cut short": _cut,
    "file dropped": _drop,
    "file added": _add,
    "file renamed": _rename,
    "file replaced by a link": _link,
    "figure edited": _figure,
    "figure edited and signed": _figure_with_the_key,
    "metric in the metadata edited and signed": _metric_with_the_key,
    "cards swapped": _swap_cards,
    "weights swapped": _swap_weights,
    "verdict rewritten and signed": _better_verdict,
    "ledger: bit flipped": _ledger_flip,
    "ledger: line edited": _ledger_edit,
    "ledger: line dropped": _ledger_drop,
    "ledger: lines reordered": _ledger_reorder,
    "ledger: cut short": _ledger_cut,
}
