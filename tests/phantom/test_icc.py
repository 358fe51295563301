from __future__ import annotations

import io
import struct

import numpy as np
from PIL import Image, ImageCms

from monai_unlearn.phantom.icc import srgb_profile


def test_little_cms_reads_it_as_an_rgb_profile():
    profile = ImageCms.ImageCmsProfile(io.BytesIO(srgb_profile()))
    assert profile.profile.xcolor_space.strip() == "RGB"
    assert profile.profile.device_class == "scnr"
    assert ImageCms.getProfileDescription(profile).strip() == "sRGB"


def test_it_means_nearly_what_srgb_means():
    steps = np.linspace(0, 255, 6, dtype=np.uint8)
    colours = np.stack(np.meshgrid(steps, steps, steps), axis=-1).reshape(-1, 36, 3)
    ours = ImageCms.ImageCmsProfile(io.BytesIO(srgb_profile()))
    converted = ImageCms.profileToProfile(Image.fromarray(colours), ours, ImageCms.createProfile("sRGB"))
    # A plain power of 2.2 differs a little from the curve of sRGB, in the shadows most.
    assert np.abs(np.asarray(converted).astype(int) - colours).max() <= 8


def test_its_length_is_as_it_says():
    assert struct.unpack(">I", srgb_profile()[:4])[0] == len(srgb_profile())
    assert len(srgb_profile()) % 2 == 0
