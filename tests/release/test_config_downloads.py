from __future__ import annotations

import pytest

from monai_unlearn.release.config_downloads import Edit, find


@pytest.mark.parametrize(
    ("config", "where", "value"),
    [
        ({"net": {"pretrained": True}}, ("net", "pretrained"), False),
        ({"net#pretrained": True}, ("net#pretrained",), False),
        ({"use_pretrained": True}, ("use_pretrained",), False),
        ({"a": [{"weights": "IMAGENET1K_V1"}]}, ("a", 0, "weights"), None),
        ({"encoder_weights": "imagenet"}, ("encoder_weights",), None),
        ({"backbone_url": "https://x.example/7"}, ("backbone_url",), None),
        ({"anything": "https://x.example/old.pth"}, ("anything",), None),
        ({"w": "$torch.hub.load_state_dict_from_url('https://x/7')"}, ("w",), None),
        ({"w": "$urllib.request.urlretrieve('https://x/old.pt?raw=1', 'f')"}, ("w",), None),
        ({"net": "$make(pretrained = True)"}, ("net",), "$make(pretrained=False)"),
        ({"w": {"_target_": "huggingface_hub.hf_hub_download"}}, ("w", "_disabled_"), True),
        ({"w": {"_target_": "monai.apps.download_url", "filepath": "models/a.pt"}}, ("w", "_disabled_"), True),
        ({"net": {"pretrained": "@flag"}, "flag": True}, ("flag",), False),
    ],
)
def test_downloads_of_weights_are_switched_off(config, where, value):
    (found,) = find(config)
    assert isinstance(found, Edit)
    assert (found.where, found.value) == (where, value)
    assert found.sentence.startswith("::".join(map(str, where if value is not True else where[:-1])).replace("#", "::"))


@pytest.mark.parametrize(
    "config",
    [
        {"d": {"_target_": "DecathlonDataset", "download": True}},
        {"d": "$urllib.request.urlretrieve('https://x/data.zip', 'f')"},
        {"data_url": "https://x/data.zip"},
        {"d": {"_target_": "monai.apps.download_and_extract", "url": "https://x/data.zip"}},
    ],
)
def test_other_downloads_are_named_and_stay(config):
    (found,) = find(config)
    assert not isinstance(found, Edit)
    assert "Make sure that it holds no weights" in found.sentence


@pytest.mark.parametrize(
    "config",
    [
        {"load_pretrain": True},
        {"net": {"pretrained": False}},
        {"loss": {"weight": [1, 2]}, "weights": [0.1]},
        {"checkpoint": "$@bundle_root + '/models/model.pt'"},
        {"mlflow_tracking_uri": "http://127.0.0.1:8080"},
        {"w": {"_target_": "huggingface_hub.hf_hub_download", "_disabled_": True}},
        {"download": False},
    ],
)
def test_everything_else_is_left_alone(config):
    assert not list(find(config))


def test_the_flag_that_another_config_refers_to_counts():
    (found,) = find({"flag": True}, elsewhere={"train.json": {"net": {"pretrained": "@flag"}}})
    assert found.where == ("flag",)
