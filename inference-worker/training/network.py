"""The detector's network: one pass from pixels to boxes, without anchors.

A cell of the strides 8, 16 and 32 says for each class how likely a face of that
class is centred near it (a logit), and how far the face's left, upper, right and
lower edges lie from the cell's centre (the logarithm of the distance in strides).

What shaped it is what OpenCV 4.6 is quick at on one thread: dense 3 x 3 convolutions
cost most at the finest strides, so there are only two of them, on few channels;
separable ones with 64 channels and more are cheap from stride 8 on; activations
other than ReLU cost as much as a layer.
"""

import torch
from torch import nn
from torch.nn import functional as F

CLASSES = ("masked", "unmasked", "incorrect")
STRIDES = (8, 16, 32)


def conv(inputs, outputs, kernel=3, stride=1, groups=1):
    return nn.Conv2d(inputs, outputs, kernel, stride, kernel // 2, groups=groups, bias=False)


class ConvNorm(nn.Sequential):
    def __init__(self, inputs, outputs, kernel=3, stride=1):
        super().__init__(conv(inputs, outputs, kernel, stride), nn.BatchNorm2d(outputs), nn.ReLU(inplace=True))


class Separable(nn.Module):
    """A depthwise and a pointwise convolution; adds its input where the shapes agree."""

    def __init__(self, inputs, outputs, stride=1, kernel=3):
        super().__init__()
        self.depthwise = conv(inputs, inputs, kernel, stride, groups=inputs)
        self.depthwise_norm = nn.BatchNorm2d(inputs)
        self.pointwise = conv(inputs, outputs, 1)
        self.pointwise_norm = nn.BatchNorm2d(outputs)
        self.residual = inputs == outputs and stride == 1

    def forward(self, x):
        y = F.relu(self.depthwise_norm(self.depthwise(x)))
        y = self.pointwise_norm(self.pointwise(y))
        return F.relu(y + x if self.residual else y)


class Tower(nn.Module):
    """Separable layers whose weights all strides share, so that a rare class is learnt
    from faces of every size; the statistics are each stride's own."""

    def __init__(self, channels, depth):
        super().__init__()
        self.depthwise = nn.ModuleList(conv(channels, channels, groups=channels) for _ in range(depth))
        self.pointwise = nn.ModuleList(conv(channels, channels, 1) for _ in range(depth))
        self.norms = nn.ModuleList(
            nn.ModuleList(nn.BatchNorm2d(channels) for _ in range(2 * depth)) for _ in STRIDES
        )

    def forward(self, x, level):
        norms = self.norms[level]
        for i, (depthwise, pointwise) in enumerate(zip(self.depthwise, self.pointwise)):
            y = F.relu(norms[2 * i](depthwise(x)))
            x = F.relu(norms[2 * i + 1](pointwise(y)) + x)
        return x


class Neck(nn.Module):
    """Passes what the coarse strides see down to the fine ones, and back."""

    def __init__(self, inputs, channels):
        super().__init__()
        self.lateral = nn.ModuleList(ConvNorm(i, channels, 1) for i in inputs)
        self.merge16 = Separable(channels, channels)
        self.merge8 = Separable(channels, channels)
        self.down16 = Separable(channels, channels, 2)
        self.down32 = Separable(channels, channels, 2)

    def forward(self, features):
        fine, middle, coarse = (lateral(f) for lateral, f in zip(self.lateral, features))
        middle = self.merge16(middle + F.interpolate(coarse, scale_factor=2.0, mode="nearest"))
        fine = self.merge8(fine + F.interpolate(middle, scale_factor=2.0, mode="nearest"))
        middle = middle + self.down16(fine)
        coarse = coarse + self.down32(middle)
        return fine, middle, coarse


def stage(inputs, outputs, depth):
    return nn.Sequential(
        Separable(inputs, outputs, 2), *(Separable(outputs, outputs) for _ in range(depth - 1))
    )


class Detector(nn.Module):
    """Takes B x 3 x H x W, BGR from 0 to 1, H and W multiples of 32.

    Gives for each stride B x 7 x H/stride x W/stride: the classes' logits, then the
    logarithms of the distances to left, upper, right and lower edge, in strides.
    """

    def __init__(self, channels=(8, 32, 64, 128, 192), depth=(1, 4, 5, 3), neck=64, class_depth=2, box_depth=1):
        super().__init__()
        first, second, fine, middle, coarse = channels
        self.stem = nn.Sequential(
            ConvNorm(3, first, 3, 2),
            ConvNorm(first, second, 3, 2),
            *(Separable(second, second) for _ in range(depth[0])),
        )
        self.stage8 = stage(second, fine, depth[1])
        self.stage16 = stage(fine, middle, depth[2])
        self.stage32 = nn.Sequential(stage(middle, coarse, depth[3]), Separable(coarse, coarse, kernel=5))
        self.neck = Neck((fine, middle, coarse), neck)
        self.class_tower = Tower(neck, class_depth)
        self.box_tower = Tower(neck, box_depth)
        self.class_out = nn.ModuleList(nn.Conv2d(neck, len(CLASSES), 1) for _ in STRIDES)
        self.box_out = nn.ModuleList(nn.Conv2d(neck, 4, 1) for _ in STRIDES)
        for out in self.class_out:
            nn.init.normal_(out.weight, std=0.01)
            nn.init.constant_(out.bias, -4.6)  # a probability of 0.01: most cells see no face
        for out in self.box_out:
            nn.init.normal_(out.weight, std=0.01)
            nn.init.constant_(out.bias, 0.7)  # two strides to each side

    def forward(self, x):
        return self.say(self.see(x))

    def see(self, x):
        """What the towers see at each stride, for classes and for boxes. Training may
        compute this part in 16 bits."""
        x = self.stem(x)
        fine = self.stage8(x)
        middle = self.stage16(fine)
        coarse = self.stage32(middle)
        return [
            (self.class_tower(x, level), self.box_tower(x, level))
            for level, x in enumerate(self.neck((fine, middle, coarse)))
        ]

    def say(self, seen):
        """The outputs from that; a distance in 16 bits would be off by half a percent."""
        return [
            torch.cat((class_out(classes.float()), box_out(boxes.float())), 1)
            for class_out, box_out, (classes, boxes) in zip(self.class_out, self.box_out, seen)
        ]


def flat(maps):
    """The maps' cells in one list: B x N x 7, the finest stride first, row by row."""
    return torch.cat([m.flatten(2) for m in maps], 2).transpose(1, 2)


def cells(height, width, device="cpu"):
    """The cells' centres in pixels and their strides, N x 3, in flat's order."""
    every = []
    for stride in STRIDES:
        y, x = torch.meshgrid(
            torch.arange(height // stride, device=device), torch.arange(width // stride, device=device), indexing="ij"
        )
        x, y = x.flatten(), y.flatten()
        every.append(torch.stack(((x + 0.5) * stride, (y + 0.5) * stride, torch.full_like(x, stride)), 1).float())
    return torch.cat(every)


def boxes(values, where):
    """Left, top, right and bottom in pixels from the network's last four values."""
    distance = torch.exp(values.clamp(-4, 4)) * where[:, 2:3]
    return torch.cat((where[:, :2] - distance[..., :2], where[:, :2] + distance[..., 2:]), -1)
