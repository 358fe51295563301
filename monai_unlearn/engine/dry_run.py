"""Tries a bundle's configs on one image, in a process of its own: what comes in, what comes out, what fails.

    python -m monai_unlearn.engine.dry_run REQUEST REPORT

Both are JSON files. Nothing is written but the report. It evaluates the configs, as MONAI does.
"""

from __future__ import annotations

import copy
import json
import sys
import warnings
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import torch
from monai.bundle import ConfigParser
from torch import Tensor, nn

from monai_unlearn.engine.head import as_classifier
from monai_unlearn.errors import UnlearnError
from monai_unlearn.release import load_weights

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

_IMAGES = 4
_LONGEST = 400
_SCALES = (1000.0, -1000.0)
_TOLERANCE = 1e-3


@dataclass(frozen=True)
class _OneImage:
    """Stands for `CohortData` in a training config: the same image several times, in the first two classes."""

    item: Mapping[str, Any]

    def items(self, _parts: object = (), _split: str = "train") -> list[dict[str, Any]]:
        return [{**self.item, "label": number % 2, "image_id": str(number), "row": number} for number in range(_IMAGES)]


def try_bundle(request: Mapping[str, Any]) -> dict[str, Any]:
    """Try preprocessing, network and weights of a bundle, and one step of its training.

    Args:
        request: `configs` and `training` (files in their order; none if it is not to be tried), `bundle_root`,
            `checkpoint` (null if there is none), `class_names`, `head`, `item` (the image as items of a data set are,
            or null), and `shape`, the shape of an input where there is no image.

    Returns:
        `input` with `shape`, `low` and `high`; `outputs`, one for each that the network returns in eval mode, with
        `name` (null where there is one), `shape` and, if they look like probabilities over several inputs,
        `activation` (softmax, sigmoid, or unknown for values from 0 to 1); `failed`, the steps that failed with `what`.
    """
    with warnings.catch_warnings():
        # MONAI's readers warn of readers that are not installed: no fault of the bundle.
        warnings.simplefilter("ignore")
        return _report(request)


def _report(request: Mapping[str, Any]) -> dict[str, Any]:
    report: dict[str, Any] = {"failed": {}}

    def attempt(step: str, function: Callable[[], Any]) -> Any:  # noqa: ANN401 - whatever the step gives
        try:
            return function()
        except Exception as error:  # noqa: BLE001 - a bundle may raise anything
            report["failed"][step] = _reason(error)
        return None

    parser = attempt("configs", lambda: _parser(request["configs"], request))
    network = None if parser is None else attempt("network", lambda: parser.get_parsed_content("network"))
    if network is None:
        return report
    if request.get("checkpoint"):
        attempt("weights", lambda: load_weights(network, request["checkpoint"]))
    if request.get("item"):
        image = attempt("preprocessing", lambda: _image(parser, request["item"]))
    else:
        image = torch.rand(*request["shape"])
    if image is not None:
        report["input"] = {"shape": list(image.shape), "low": float(image.min()), "high": float(image.max())}
        report["outputs"] = attempt("forward", lambda: _outputs(network, image)) or []
    if request.get("training") and request.get("item") and not report["failed"]:
        attempt("training", lambda: _train(request, network))
    return report


def _parser(files: Sequence[str], request: Mapping[str, Any]) -> ConfigParser:
    parser = ConfigParser()
    parser.read_config(list(files))
    parser.read_meta(str(Path(request["bundle_root"]) / "configs" / "metadata.json"))
    parser.update({"bundle_root": request["bundle_root"], "device": "cpu"})
    return parser


def _image(parser: ConfigParser, item: Mapping[str, Any]) -> Tensor:
    image = parser.get_parsed_content("preprocessing")(dict(item))["image"]
    if isinstance(image, str):
        raise TypeError("the image is still a path after preprocessing")
    return torch.as_tensor(image).float()


def _outputs(network: nn.Module, image: Tensor) -> list[dict[str, Any]]:
    network.eval()
    with torch.inference_mode():
        found = _named(network(image[None]))
        more: list[dict[Any, Tensor]] = []
        if any(_in_unit_range(one) for one in found.values()):
            with suppress(Exception):  # a network may refuse such inputs: then nothing is known
                more = [_named(network(one[None])) for one in _stretched(image)]
    return [
        {"name": name, "shape": list(one.shape), **_activation([one, *(other[name] for other in more)])}
        for name, one in found.items()
    ]


def _named(outputs: Any) -> dict[Any, Tensor]:  # noqa: ANN401 - whatever a network returns
    if isinstance(outputs, Tensor):
        return {None: outputs}
    named = outputs.items() if isinstance(outputs, Mapping) else enumerate(outputs)
    return {name: one for name, one in named if isinstance(one, Tensor)}


def _stretched(image: Tensor) -> list[Tensor]:
    """Return inputs far from images: logits leave the range from 0 to 1 there, and probabilities cannot."""
    noise = torch.randn(image.shape, generator=torch.Generator().manual_seed(0))
    return [noise, *(scale * one for one in (image, noise) for scale in _SCALES)]


def _activation(outputs: Sequence[Tensor]) -> dict[str, str]:
    """Return what outputs over several inputs look like the result of; empty for logits."""
    if len(outputs) == 1 or not all(map(_in_unit_range, outputs)):
        return {}
    values = torch.cat([one.flatten(1) for one in outputs])
    if values.shape[1] > 1 and bool(((values.sum(1) - 1).abs() < _TOLERANCE).all()):
        return {"activation": "softmax"}
    saturated = values.min() < _TOLERANCE or values.max() > 1 - _TOLERANCE
    return {"activation": "sigmoid" if saturated else "unknown"}


def _in_unit_range(values: Tensor) -> bool:
    return bool(((values >= 0) & (values <= 1)).all())


def _train(request: Mapping[str, Any], network: nn.Module) -> None:
    """Take one step of the bundle's training, on a copy of the network."""
    parser = _parser(request["training"], request)
    tried = copy.deepcopy(network)
    if request.get("head") == "multilabel":
        as_classifier(tried, "multilabel")
    stand_in = {"data": _OneImage(request["item"]), "network": tried, "parts": ["remain"]}
    parser.update({**stand_in, "class_names": list(request["class_names"])})
    trainer = parser.get_parsed_content(str(parser["train"]["run"]["trainer"]).removeprefix("@"))
    trainer.state.max_epochs = 1
    trainer.run()


def _reason(error: BaseException) -> str:
    """Return the innermost reason in one line: MONAI wraps what a component raises, and its messages are long."""
    while error.__cause__ is not None or error.__context__ is not None:
        if isinstance(error, UnlearnError):
            break
        error = error.__cause__ or error.__context__  # type: ignore[assignment]  # one of the two is there
    first = next((line.strip() for line in str(error).splitlines() if line.strip()), "")
    return f"{type(error).__name__}: {first}"[:_LONGEST]


def main(request: str, report: str) -> None:
    """Read a request, try the bundle, and write the report."""
    content = json.loads(Path(request).read_text(encoding="utf-8"))
    sys.path.append(content["bundle_root"])
    Path(report).write_text(json.dumps(try_bundle(content)), encoding="utf-8")


if __name__ == "__main__":
    main(*sys.argv[1:])
