"""The pretrained network and the head that the benchmark writes out, as torch modules; shared by the peers in Python."""

import json
from pathlib import Path

import numpy
import torch
import torchvision
from torchvision import transforms

# What a user writes who looks at torchvision's documentation.
prepare = transforms.Compose([
    transforms.Resize(224),
    transforms.CenterCrop(224),
    transforms.ToTensor(),
    transforms.Normalize(mean=[0.485, 0.456, 0.406], std=[0.229, 0.224, 0.225]),
])


def load_backbone(folder: Path) -> torch.nn.Module:
    """torchvision's MobileNetV2 up to its features, with the ONNX file's weights. The file has batch norm folded into the
    convolutions, so it is left out here too: the peer is faster for it than with torchvision's own layers."""
    network = torchvision.models.mobilenet_v2(weights=None)
    tensors = iter(_tensors(folder / "weights"))
    _fold(network.features, tensors)
    assert next(tensors, None) is None, "the file has more layers than torchvision's MobileNetV2"
    return torch.nn.Sequential(network.features, torch.nn.AdaptiveAvgPool2d(1), torch.nn.Flatten()).eval()


def load_head(folder: Path):
    """The category names, and the layers as one module."""
    description = json.loads((folder / "head.json").read_text())
    tensors = iter(_tensors(folder / "head"))
    layers = []
    for weight, bias in zip(tensors, tensors):
        linear = torch.nn.Linear(weight.shape[1], weight.shape[0])
        linear.weight.data, linear.bias.data = weight, bias
        layers += [torch.nn.ReLU(), linear] if layers else [linear]
    return description["labels"], torch.nn.Sequential(*layers).eval()


def normalise(features: torch.Tensor) -> torch.Tensor:
    """Roots that keep their sign, scaled to length 1, as Headstart's heads want them."""
    return torch.nn.functional.normalize(features.sign() * features.abs().sqrt(), dim=1)


def _tensors(path: Path):
    shapes = json.loads(path.with_suffix(".json").read_text())["shapes"]
    values = numpy.fromfile(path.with_suffix(".bin"), dtype="<f4")
    at = 0
    for shape in shapes:
        count = int(numpy.prod(shape))
        yield torch.from_numpy(values[at:at + count].copy()).reshape(shape)
        at += count


def _fold(module: torch.nn.Module, tensors) -> None:
    for name, child in module.named_children():
        if isinstance(child, torch.nn.Conv2d):
            folded = torch.nn.Conv2d(child.in_channels, child.out_channels, child.kernel_size, child.stride, child.padding, groups=child.groups)
            weight, bias = next(tensors), next(tensors)
            assert weight.shape == folded.weight.shape, f"{name}: {weight.shape} is not {folded.weight.shape}"
            folded.weight.data, folded.bias.data = weight, bias
            setattr(module, name, folded)
        elif isinstance(child, torch.nn.BatchNorm2d):
            setattr(module, name, torch.nn.Identity())
        else:
            _fold(child, tensors)
