"""Makes the small pictures that gradwise-augment is compared with: what Pillow, torchvision and OpenCV make of a piece of a photograph.

usage: augment.py PHOTO    (shared data's photos/china.jpg; needs pillow, torchvision, opencv and numpy)
"""

import sys
from pathlib import Path

import cv2
import numpy as np
import torch
from PIL import Image, ImageEnhance, ImageOps
from torchvision.transforms.v2 import functional as tv

OUT = Path(__file__).parent / "augment"
LEFT, TOP, WIDTH, HEIGHT = 300, 120, 40, 32
BORDERS = {
    "edge": cv2.BORDER_REPLICATE,
    "reflect": cv2.BORDER_REFLECT_101,
    "symmetric": cv2.BORDER_REFLECT,
    "wrap": cv2.BORDER_WRAP,
    "constant": cv2.BORDER_CONSTANT,
}


def pillow(image):
    yield "flip_horizontal", ImageOps.mirror(image)
    yield "flip_vertical", ImageOps.flip(image)
    yield "transpose", image.transpose(Image.Transpose.TRANSPOSE)
    yield "antitranspose", image.transpose(Image.Transpose.TRANSVERSE)
    # Pillow turns counterclockwise.
    yield "counterclockwise", image.transpose(Image.Transpose.ROTATE_90)
    filters = {
        "box": Image.Resampling.BOX,
        "bilinear": Image.Resampling.BILINEAR,
        "bicubic": Image.Resampling.BICUBIC,
        "lanczos": Image.Resampling.LANCZOS,
        "nearest": Image.Resampling.NEAREST,
    }
    for name, resampling in filters.items():
        yield f"resize_{name}_small", image.resize((17, 13), resampling)
        yield f"resize_{name}_large", image.resize((72, 64), resampling)
    # Where a pixel comes from: the inverse of a turn by 20 degrees about the middle, clockwise. (Bicubic, Pillow's weights are others here
    # than when it resizes.)
    c, s = np.cos(np.radians(20)), np.sin(np.radians(20))
    x, y = WIDTH / 2, HEIGHT / 2
    back = (c, s, x - c * x - s * y, -s, c, y + s * x - c * y)
    yield "rotate_bilinear", image.transform(image.size, Image.Transform.AFFINE, back, Image.Resampling.BILINEAR)
    yield "equalize", ImageOps.equalize(image)
    yield "autocontrast", ImageOps.autocontrast(image)
    yield "posterize_3", ImageOps.posterize(image, 3)
    yield "solarize_128", ImageOps.solarize(image, 128)
    yield "invert", ImageOps.invert(image)
    yield "sharpness_2", ImageEnhance.Sharpness(image).enhance(2.0)
    yield "brightness_1.4", ImageEnhance.Brightness(image).enhance(1.4)
    yield "contrast_1.6", ImageEnhance.Contrast(image).enhance(1.6)
    yield "saturation_1.8", ImageEnhance.Color(image).enhance(1.8)
    yield "grey", ImageOps.grayscale(image).convert("RGB")


def torchvision(image):
    tensor = torch.from_numpy(np.asarray(image).transpose(2, 0, 1).copy())
    results = {
        "gaussian_blur_5_1.2": tv.gaussian_blur(tensor, [5, 5], [1.2, 1.2]),
        "hue_0.2": tv.adjust_hue(tensor, 0.2),
        "gamma_1.7": tv.adjust_gamma(tensor, 1.7),
    }
    for name, result in results.items():
        yield name, Image.fromarray(result.numpy().transpose(1, 2, 0))


def opencv(image):
    array = np.asarray(image)
    for name, border in BORDERS.items():
        # Wider than the image on one side.
        margins = (3, 5, 7, 2) if name == "wrap" else (HEIGHT + 3, 5, 7, 2)
        yield f"pad_{name}", Image.fromarray(cv2.copyMakeBorder(array, *margins, border, value=(51, 102, 153)))
    yield "median_3", Image.fromarray(cv2.medianBlur(array, 3))
    yield "median_5", Image.fromarray(cv2.medianBlur(array, 5))
    yield "box_5", Image.fromarray(cv2.blur(array, (5, 5)))
    grey = cv2.cvtColor(array, cv2.COLOR_RGB2GRAY)
    yield "grey_source", Image.fromarray(grey)
    yield "grey_clahe_2_4x4", Image.fromarray(cv2.createCLAHE(2.0, (4, 4)).apply(grey))


def main():
    photo = Image.open(sys.argv[1]).convert("RGB")
    image = photo.crop((LEFT, TOP, LEFT + WIDTH, TOP + HEIGHT))
    OUT.mkdir(exist_ok=True)
    image.save(OUT / "source.png", optimize=True)
    for make in (pillow, torchvision, opencv):
        for name, result in make(image):
            result.save(OUT / f"{name}.png", optimize=True)


if __name__ == "__main__":
    main()
