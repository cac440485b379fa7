"""NanoTrack's networks in PyTorch, and a network as it tracks. Imported by siamban_peer.py and torch_peer.py."""

import torch
from torch import nn


def conv_norm(inputs, outputs, kernel=1, stride=1, groups=1, act=None, bias=False, padding=None):
    padding = (kernel - 1) // 2 if padding is None else padding
    conv = nn.Conv2d(inputs, outputs, kernel, stride, padding, groups=groups, bias=bias)
    return nn.Sequential(conv, nn.BatchNorm2d(outputs), *([act] if act else []))


def eights(value):
    rounded = max(8, int(value + 4) // 8 * 8)
    return rounded + 8 if rounded < 0.9 * value else rounded


class Excite(nn.Module):
    """Scales channels by what their means say."""

    def __init__(self, channels, hidden, gate):
        super().__init__()
        layers = [nn.Linear(channels, hidden), nn.ReLU(), nn.Linear(hidden, channels), gate]
        self.fc = nn.Sequential(*layers)

    def forward(self, x):
        return x * self.fc(nn.functional.adaptive_avg_pool2d(x, 1).flatten(1))[:, :, None, None]


class Block(nn.Module):
    def __init__(self, inputs, kernel, expansion, outputs, excite, act, stride):
        super().__init__()
        hidden = eights(inputs * expansion)
        gate = [Excite(hidden, eights(hidden // 4), nn.Hardsigmoid())] if excite else []
        middle = conv_norm(hidden, hidden, kernel, stride, hidden)
        narrow = conv_norm(hidden, outputs)
        if hidden == inputs:
            self.body = nn.Sequential(middle, act(), *gate, narrow)
        else:
            self.body = nn.Sequential(conv_norm(inputs, hidden, act=act()), middle, *gate, act(), narrow)
        self.shortcut = stride == 1 and inputs == outputs

    def forward(self, x):
        return x + self.body(x) if self.shortcut else self.body(x)


BLOCKS = [
    (3, 1, 16, True, nn.ReLU, 2),
    (3, 4.5, 24, False, nn.ReLU, 2),
    (3, 3.67, 24, False, nn.ReLU, 1),
    (5, 4, 40, True, nn.Hardswish, 2),
    (5, 6, 40, True, nn.Hardswish, 1),
    (5, 6, 40, True, nn.Hardswish, 1),
    (5, 3, 48, True, nn.Hardswish, 1),
    (5, 3, 48, True, nn.Hardswish, 1),
    (5, 6, 96, True, nn.Hardswish, 1),
]


def backbone(blocks):
    layers, channels = [conv_norm(3, 16, 3, 2, act=nn.Hardswish())], 16
    for kernel, expansion, outputs, *rest in BLOCKS[:blocks]:
        layers.append(Block(channels, kernel, expansion, outputs, *rest))
        channels = outputs
    return nn.Sequential(*layers)


class Pixelwise(nn.Module):
    def __init__(self, channels=None, mix=False):
        super().__init__()
        embed = lambda: conv_norm(channels, channels, bias=True) if channels else nn.Identity()
        self.kernel, self.search = embed(), embed()
        self.excite = Excite(64, 64, nn.Sigmoid())
        self.mix = nn.Sequential(
            conv_norm(64, 64, 2, groups=64, act=nn.ReLU6(), padding=0), conv_norm(64, 64, bias=True)
        ) if mix else nn.Identity()

    def forward(self, z, x):
        z, x = self.kernel(z), self.search(x)
        response = torch.matmul(z.flatten(2).transpose(1, 2), x.flatten(2))
        return self.mix(self.excite(response.reshape(x.shape[0], 64, x.shape[2], x.shape[3])))


class Centre(nn.Module):
    def __init__(self, channels):
        super().__init__()
        self.kernel = conv_norm(channels, channels, bias=True)
        self.search = conv_norm(channels, channels, bias=True)

    def forward(self, z, x):
        z, x = self.kernel(z[:, :, 2:6, 2:6]), self.search(x)
        batch, channels = x.shape[:2]
        flat, filters = x.reshape(1, -1, *x.shape[2:]), z.reshape(-1, 1, *z.shape[2:])
        out = nn.functional.conv2d(flat, filters, padding=1, groups=batch * channels)
        return out.reshape(batch, channels, *out.shape[2:])


def tower(steps, outputs):
    layers = []
    for inputs, width, kernel in steps:
        layers.append(nn.Conv2d(inputs, inputs, kernel, 1, kernel // 2, groups=inputs, bias=False))
        layers.append(conv_norm(inputs, width, act=nn.ReLU6()))
    return nn.Sequential(*layers, nn.Conv2d(width, outputs, 1))


def tower_v3(outputs):
    layers = [nn.Conv2d(160, 96, 1)]
    for _ in range(6):
        layers += [conv_norm(96, 96, 3, groups=96, act=nn.ReLU6()), conv_norm(96, 96)]
    return nn.Sequential(*layers, nn.Conv2d(96, outputs, 1))


class NanoTrack(nn.Module):
    """A backbone for both images, and the head of its version."""

    def __init__(self, version):
        super().__init__()
        self.version = version
        self.backbone = backbone(9 if version == 3 else 8)
        if version == 1:
            self.pixelwise = Pixelwise()
            self.cls = tower([(64, 128, 5), (128, 128, 5), (128, 128, 3)], 2)
            self.loc = tower([(64, 96, 3), (96, 96, 3), (96, 96, 5), (96, 96, 5)], 4)
            return
        channels = 96 if version == 3 else 48
        self.pixelwise_cls, self.pixelwise_loc = (Pixelwise(channels, version == 3) for _ in range(2))
        if version == 2:
            steps = [(64, 96, 3)] + [(96, 96, 3)] * 5
            self.cls, self.loc = tower(steps, 2), tower(steps, 4)
        else:
            self.centre_cls, self.centre_loc = Centre(96), Centre(96)
            self.cls, self.loc = tower_v3(2), tower_v3(4)

    def template(self, image):
        return [self.backbone(image)]

    def respond(self, zf, image):
        z, x = zf[0], self.backbone(image)
        if self.version == 1:
            response = self.pixelwise(z, x)
            return self.cls(response), self.loc(response).exp()
        cls, loc = self.pixelwise_cls(z, x), self.pixelwise_loc(z, x)
        if self.version == 3:
            cls = torch.cat((cls, self.centre_cls(z, x)), 1)
            loc = torch.cat((loc, self.centre_loc(z, x)), 1)
        return self.cls(cls), self.loc(loc).exp()

    def forward(self, template, search):
        return self.respond(self.template(template), search)


class Tracking(nn.Module):
    """A network as it tracks: from template features and a search image to scores and distances."""

    def __init__(self, model):
        super().__init__()
        self.model = model

    def forward(self, zf, search):
        return self.model.respond(zf, search)
