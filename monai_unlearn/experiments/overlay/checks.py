"""What in a bundle cannot work, and what its user should know, before anything of it is run."""

from __future__ import annotations

from typing import TYPE_CHECKING

from monai_unlearn.experiments.overlay.activations import check_activations
from monai_unlearn.experiments.overlay.config_data import components, target
from monai_unlearn.experiments.overlay.findings import Finding, note, problem
from monai_unlearn.experiments.overlay.transforms import IMAGE, LABEL, LABEL_FILE

if TYPE_CHECKING:
    from collections.abc import Iterator

    from monai_unlearn.experiments.overlay.facts import BundleFacts
    from monai_unlearn.experiments.overlay.settings import Choices

_WEIGHTS = "models/model.pt"
_PLAIN_RANGES = ([0, 1], [0, 255])


def check_bundle(facts: BundleFacts, choices: Choices) -> Iterator[Finding]:
    """Yield what a bundle's files say against it, or for its user."""
    name = facts.config.path.name
    if not target(facts.config.at("network_def")):
        yield problem(
            "no_network_def",
            f"{name} defines no network_def, the component of the network with its `_target_`.",
            f"Define it in {name}, or give the config that does: --config NAME.",
        )
    yield from check_activations(facts, choices)
    yield from _preprocessing(facts, choices)
    yield from _weights(facts)
    yield from _pretrained(facts)


def _preprocessing(facts: BundleFacts, choices: Choices) -> Iterator[Finding]:
    from monai_unlearn.experiments.overlay.settings import pixels_of

    name, steps = facts.config.path.name, facts.preprocessing
    if steps is None:
        yield problem(
            "no_preprocessing",
            f"{name} defines no preprocessing as a list of transforms, or a Compose of them.",
            'Define it: it turns {"image": path} into the network\'s input.',
        )
        return
    if not steps.loaders:
        yield _no_loader(facts)
    for key in steps.file_keys:
        wanted = LABEL_FILE if key == LABEL else key
        if wanted not in choices.columns:
            what = "the class of the image" if key == LABEL else "not there"
            yield problem(
                "label_is_file" if key == LABEL else "key_is_file",
                f"preprocessing reads the key '{key}' as a file, and in items of an index '{key}' is {what}.",
                f"Give the column of the index that holds the path of that file: --column {key}=COLUMN.",
            )
    # Where the overlay adds the loader, it gives values from 0 to 1, or those of the metadata.
    pixels = pixels_of(facts)
    if steps.loaders and not pixels.source:
        yield note(
            "pixel_space",
            f"No transform of preprocessing says which range pixels have; {pixels.low:g} to {pixels.high:g} is assumed "
            "(value_range of the metadata, or 0 to 1).",
            "Set low and high of pixel_space in unlearn.yaml.",
        )
    if not steps.loaders and steps.image_key != IMAGE:
        yield note("renamed_key", f"The image is under the key '{steps.image_key}', which becomes '{IMAGE}'.")


def _no_loader(facts: BundleFacts) -> Finding:
    makers = [target(one) for _, one in components(dict(facts.config.content)) if target(one).endswith("Dataset")]
    reader = (
        f", but its data set, {makers[-1]}, does" if makers and makers[-1] not in ("Dataset", "CacheDataset") else ""
    )
    what = f"No transform of preprocessing reads a file{reader}."
    value_range = facts.inputs.get("value_range")
    if value_range in (None, [], *_PLAIN_RANGES):
        return note(
            "no_loader",
            what,
            "The overlay adds a transform that does: index the images as the network gets them, such as patches cut "
            "out of slides, each as a file of its own.",
        )
    return problem(
        "no_loader",
        f"{what} Nothing says how values of files become those that it expects, {value_range} by the metadata.",
        "Add a loader, such as monai_unlearn.data.LoadImage2Dd, to preprocessing.",
    )


def _weights(facts: BundleFacts) -> Iterator[Finding]:
    path = facts.root / facts.weights
    if not path.is_file():
        yield note(
            "no_weights",
            f"There are no weights at {facts.weights}.",
            "Download them before you run it (python -m monai.bundle download_large_files --bundle_path BUNDLE), or "
            "train the bundle.",
        )
    elif facts.weights != _WEIGHTS:
        yield note(
            "other_weights",
            f"The weights are {facts.weights}; those of the revised bundle are {_WEIGHTS}.",
            f"Name that file in {facts.config.path.name} of the revised bundle before you deploy it.",
        )


def _pretrained(facts: BundleFacts) -> Iterator[Finding]:
    from monai_unlearn.experiments.overlay.settings import pretrained_off

    if pretrained_off(facts):
        yield note(
            "pretrained",
            "network_def asks for weights from elsewhere: the overlay switches that off. Weights come "
            "from the checkpoint alone.",
        )
