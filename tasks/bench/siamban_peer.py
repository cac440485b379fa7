"""SiamBAN in PyTorch, as published, on each of its backbones, and the way of a program's weights into it.

Imported by torch_peer.py.
"""

import torch
import torch.nn.functional as F
from torch import nn

import tracking_peer


def conv_norm(inputs, outputs, kernel, stride=1, padding=0, dilation=1, groups=1, bias=False, act=nn.ReLU):
    layers = [
        nn.Conv2d(inputs, outputs, kernel, stride, padding, dilation, groups, bias),
        nn.BatchNorm2d(outputs),
    ]
    return nn.Sequential(*layers, *([act(inplace=True)] if act else []))


class Residual(nn.Module):
    """Convolutions and a shortcut."""

    def __init__(self, body, shortcut):
        super().__init__()
        self.body = nn.Sequential(*body)
        self.shortcut = shortcut

    def forward(self, x):
        identity = x if self.shortcut is None else self.shortcut(x)
        return F.relu(self.body(x) + identity, inplace=True)


def basic(inputs, width, stride, entry, dilation):
    padding = entry if stride == 1 else 0
    return [
        conv_norm(inputs, width, 3, stride, padding, entry),
        conv_norm(width, width, 3, 1, dilation, dilation, act=None),
    ]


def bottleneck(inputs, width, stride, entry, dilation):
    padding = entry if stride == 1 else 0
    return [
        conv_norm(inputs, width, 1),
        conv_norm(width, width, 3, stride, padding, entry),
        conv_norm(width, 4 * width, 1, act=None),
    ]


def stage(block, inputs, width, blocks, stride, dilation):
    """The first block of a dilated stage has half of its dilation, also in a 3x3 shortcut."""
    outputs = width * (4 if block is bottleneck else 1)
    first = max(dilation // 2, 1)
    if stride == 1 and dilation == 1:
        shortcut = conv_norm(inputs, outputs, 1, act=None) if inputs != outputs else None
    else:
        padding = first if dilation > 1 else 0
        shortcut = conv_norm(inputs, outputs, 3, stride, padding, first, act=None)
    rest = [Residual(block(outputs, width, 1, dilation, dilation), None) for _ in range(blocks - 1)]
    return nn.Sequential(Residual(block(inputs, width, stride, first, dilation), shortcut), *rest)


class ResNet(nn.Module):
    """Stride 8: the last two stages are dilated."""

    def __init__(self, block, blocks):
        super().__init__()
        self.stem = nn.Sequential(conv_norm(3, 64, 7, 2), nn.MaxPool2d(3, 2, 1))
        wide = 4 if block is bottleneck else 1
        self.layer1 = stage(block, 64, 64, blocks[0], 1, 1)
        self.layer2 = stage(block, 64 * wide, 128, blocks[1], 2, 1)
        self.layer3 = stage(block, 128 * wide, 256, blocks[2], 1, 2)
        self.layer4 = stage(block, 256 * wide, 512, blocks[3], 1, 4)
        self.channels = [128 * wide, 256 * wide, 512 * wide]

    def forward(self, x):
        x = self.layer1(self.stem(x))
        features = []
        for layer in (self.layer2, self.layer3, self.layer4):
            x = layer(x)
            features.append(x)
        return features


class Inverted(nn.Module):
    """Widens by 1x1, filters channel by channel, narrows by 1x1."""

    def __init__(self, inputs, outputs, stride, expansion, dilation):
        super().__init__()
        hidden = inputs * expansion
        padding = dilation if dilation > 1 else 2 - stride
        self.body = nn.Sequential(
            conv_norm(inputs, hidden, 1, act=nn.ReLU6),
            conv_norm(hidden, hidden, 3, stride, padding, dilation, hidden, act=nn.ReLU6),
            conv_norm(hidden, outputs, 1, act=None),
        )
        self.shortcut = stride == 1 and inputs == outputs

    def forward(self, x):
        return x + self.body(x) if self.shortcut else self.body(x)


class MobileNetV2(nn.Module):
    """Stride 8: the last stages are dilated; the first block of one that dilates more has half of it."""

    # Expansion, channels, blocks, stride, dilation of the first block and of the others.
    LAYERS = [
        (1, 16, 1, 1, 1, 1),
        (6, 24, 2, 2, 1, 1),
        (6, 32, 3, 2, 1, 1),
        (6, 64, 4, 1, 1, 2),
        (6, 96, 3, 1, 2, 2),
        (6, 160, 3, 1, 2, 4),
        (6, 320, 1, 1, 4, 4),
    ]
    channels = [32, 96, 320]

    def __init__(self):
        super().__init__()
        self.layer0 = conv_norm(3, 32, 3, 2, act=nn.ReLU6)
        inputs = 32
        for i, (expansion, outputs, blocks, stride, first, dilation) in enumerate(self.LAYERS):
            layer = [Inverted(inputs, outputs, stride, expansion, first)]
            layer += [Inverted(outputs, outputs, 1, expansion, dilation) for _ in range(blocks - 1)]
            setattr(self, f"layer{i + 1}", nn.Sequential(*layer))
            inputs = outputs

    def forward(self, x):
        features = []
        for i in range(8):
            x = getattr(self, f"layer{i}")(x)
            if i in (3, 5, 7):
                features.append(x)
        return features


class AlexNet(nn.Module):
    """Without padding; its only level goes to the head as it is."""

    channels = [256]

    def __init__(self):
        super().__init__()

        def pooled(inputs, outputs, kernel, stride=1):
            body = conv_norm(inputs, outputs, kernel, stride, bias=True, act=None)
            return nn.Sequential(*body, nn.MaxPool2d(3, 2), nn.ReLU(inplace=True))

        self.layer1 = pooled(3, 96, 11, 2)
        self.layer2 = pooled(96, 256, 5)
        self.layer3 = conv_norm(256, 384, 3, bias=True)
        self.layer4 = conv_norm(384, 384, 3, bias=True)
        self.layer5 = conv_norm(384, 256, 3, bias=True, act=None)

    def forward(self, x):
        for layer in (self.layer1, self.layer2, self.layer3, self.layer4, self.layer5):
            x = layer(x)
        return [x]


BACKBONES = {
    "resnet50": lambda: ResNet(bottleneck, [3, 4, 6, 3]),
    "resnet18": lambda: ResNet(basic, [2, 2, 2, 2]),
    "mobilenetv2": MobileNetV2,
    "alexnet": AlexNet,
}


def xcorr_depthwise(x, z):
    batch, channels = z.shape[:2]
    out = F.conv2d(
        x.reshape(1, batch * channels, *x.shape[2:]),
        z.reshape(batch * channels, 1, *z.shape[2:]),
        groups=batch * channels,
    )
    return out.reshape(batch, channels, *out.shape[2:])


class Branch(nn.Module):
    def __init__(self, outputs):
        super().__init__()
        self.template = conv_norm(256, 256, 3)
        self.search = conv_norm(256, 256, 3)
        self.head = nn.Sequential(conv_norm(256, 256, 1), nn.Conv2d(256, outputs, 1))

    def forward(self, z, x):
        return self.head(xcorr_depthwise(self.search(x), self.template(z)))


class SiamBAN(nn.Module):
    """Three levels with a neck and learned weights, or one level as it is."""

    def __init__(self, name="resnet50"):
        super().__init__()
        self.backbone = BACKBONES[name]()
        channels = self.backbone.channels
        self.levels = len(channels)
        self.cls = nn.ModuleList(Branch(2) for _ in channels)
        self.loc = nn.ModuleList(Branch(4) for _ in channels)
        if self.levels == 1:
            return
        self.neck = nn.ModuleList(conv_norm(c, 256, 1, act=None) for c in channels)
        self.cls_weight = nn.Parameter(torch.ones(3))
        self.loc_weight = nn.Parameter(torch.ones(3))
        self.loc_scale = nn.Parameter(torch.ones(3))

    def parts(self):
        """The name of each part here, and what the published networks call it."""
        if self.levels == 1:
            return {"backbone": "backbone", "cls.0": "head.cls", "loc.0": "head.loc"}
        named = {"backbone": "backbone", "neck": "neck"}
        for i in range(self.levels):
            named |= {f"{task}.{i}": f"head.box{i + 2}.{task}" for task in ("cls", "loc")}
        return named | {name: f"head.{name}" for name in ("cls_weight", "loc_weight", "loc_scale")}

    def template(self, image):
        return self.features(image, True)

    def features(self, image, crop):
        maps = self.backbone(image)
        if self.levels == 1:
            return maps
        adjusted = [neck(f) for neck, f in zip(self.neck, maps)]
        return [f[:, :, 4:11, 4:11] for f in adjusted] if crop else adjusted

    def forward(self, template, search):
        return self.respond(self.template(template), search)

    def respond(self, zf, search):
        xf = self.features(search, False)
        if self.levels == 1:
            return self.cls[0](zf[0], xf[0]), self.loc[0](zf[0], xf[0])
        cls_weight, loc_weight = self.cls_weight.softmax(0), self.loc_weight.softmax(0)
        cls = sum(self.cls[i](zf[i], xf[i]) * cls_weight[i] for i in range(3))
        loc = sum(
            (self.loc[i](zf[i], xf[i]) * self.loc_scale[i]).exp() * loc_weight[i] for i in range(3)
        )
        return cls, loc


class NanoTrack(tracking_peer.NanoTrack):
    """With the names of the published networks' parts."""

    def parts(self):
        def named(part, published):
            return {f"{part}.{ours}": f"ban_head.{published}.{theirs}" for ours, theirs in published_parts.items()}

        published_parts = {"excite": "CA_layer"}
        if self.version > 1:
            published_parts |= {"kernel": "conv_kernel", "search": "conv_search"}
        if self.version == 3:
            published_parts |= {"mix": "conv"}
        found = {"backbone": "backbone"}
        if self.version == 1:
            found |= named("pixelwise", "corr_pw")
            return found | {"cls": "ban_head.cls_tower ban_head.cls_logits", "loc": "ban_head.bbox_tower ban_head.bbox_pred"}
        found |= named("pixelwise_cls", "corr_pw_cls") | named("pixelwise_loc", "corr_pw_reg")
        if self.version == 2:
            return found | {"cls": "ban_head.cls_pw_tower ban_head.cls_pred", "loc": "ban_head.bbox_pw_tower ban_head.bbox_pred"}
        return found | {
            "centre_cls": "ban_head.corr_dw_cls",
            "centre_loc": "ban_head.corr_dw_reg",
            "cls": "ban_head.down_cls ban_head.cls_tower ban_head.cls_logits",
            "loc": "ban_head.down_reg ban_head.bbox_tower ban_head.bbox_pred",
        }


def build(name):
    return NanoTrack(int(name[-1])) if name.startswith("nanotrack") else SiamBAN(name)


def load(model, state):
    """Copies published weights, part by part, each in order."""
    own = model.state_dict()
    copied = 0
    for part, names in model.parts().items():
        ours = [value for key, value in own.items() if key == part or key.startswith(part + ".")]
        theirs = [
            value
            for name in names.split()
            for key, value in state.items()
            if key == name or key.startswith(name + ".")
        ]
        sizes = [value.numel() for value in ours], [value.numel() for value in theirs]
        if sizes[0] != sizes[1]:
            raise ValueError(f"{part} has {sizes[0]}, {names} has {sizes[1]}")
        for to, source in zip(ours, theirs):
            to.copy_(source.reshape(to.shape))
        copied += len(ours)
    if copied != len(own):
        raise ValueError(f"copied {copied} of {len(own)} weights")


def set_regime(model, trained):
    """The backbone is fixed but for the named parts of it, which learn, with batch statistics."""
    model.train()
    model.backbone.eval().requires_grad_(False)
    for name, layer in model.backbone.named_children():
        if name in trained or "features" in trained:
            layer.train().requires_grad_(True)
