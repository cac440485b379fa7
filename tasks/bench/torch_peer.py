"""SiamBAN and NanoTrack in PyTorch, the peer that `deno task bench` times against.

Reads one command a line from standard input and answers each with one line of JSON:
  build REGIME BATCH [VARIANT]   a fresh model, optimiser and batch ("frozen" or "trained"); variants, which
                       may be joined by "+": eager, tf32, channels_last, bf16, compile
  network NAME TRAINED PATH   a network of siamban_peer.py with the weights and the batch of a file; what trains
                       of the backbone is joined by ",", or "none"
  step                 one training step: {"seconds": ..., "loss": ...}
  xcorr BATCH REPEAT   the depthwise correlation, forward and backward: {"seconds": ...}
  tracker NAME PATH    the same network with the weights, template and search image of a file, as it
                       tracks: {"cls": [...], "loc": [...]}, what it answers, channel by channel
  frames COUNT         one search image so many times through it: {"seconds": [...]}
  export PATH          writes it as ONNX, from template features and search image to scores and distances:
                       {"features": [{"shape": [...], "values": [...]}]}, those of the template
  memory               {"peakBytes": ...} of this process so far, or on a GPU of its memory
  correlate B HX HZ C DTYPE REPEAT   the depthwise correlation on a GPU: {"forward": ..., "backward": ...} seconds

Arguments: THREADS DEVICE, the device cpu (the default) or cuda.
"""

import json
import resource
import sys
import time

import torch
import torch.nn.functional as F
from torch import nn

import siamban_peer
import tracking_peer


def loss_of(cls, loc, labels, target):
    log_p = F.log_softmax(cls, 1)
    positive, negative = labels == 1, labels == 0
    cls_loss = -0.5 * (log_p[:, 1][positive].mean() + log_p[:, 0][negative].mean())
    p, t = loc.permute(0, 2, 3, 1)[positive], target.permute(0, 2, 3, 1)[positive]
    area = lambda d: (d[:, 0] + d[:, 2]) * (d[:, 1] + d[:, 3])
    low = torch.minimum(p, t)
    inter = area(low)
    return cls_loss + (1 - (inter + 1) / (area(p) + area(t) - inter + 1)).mean()


def images_first(tensor):
    return tensor.permute(0, 3, 1, 2).contiguous()


class Session:
    def __init__(self, device="cpu"):
        self.device = torch.device(device)
        self.variant = set()
        if device == "cuda":
            torch.backends.cudnn.benchmark = True

    def build(self, regime, batch, variant="eager"):
        torch.manual_seed(1)
        batch = int(batch)
        self.variant = set(variant.split("+"))
        if self.device.type == "cuda":
            torch.cuda.empty_cache()
            torch.cuda.reset_peak_memory_stats()
            torch.backends.cudnn.allow_tf32 = "tf32" in self.variant
            torch.backends.cuda.matmul.allow_tf32 = "tf32" in self.variant
        self.model = siamban_peer.SiamBAN().to(self.device)
        if "channels_last" in self.variant:
            self.model = self.model.to(memory_format=torch.channels_last)
        siamban_peer.set_regime(self.model, ["layer2", "layer3", "layer4"] if regime == "trained" else [])
        self.run = torch.compile(self.model) if "compile" in self.variant else self.model
        self.prepare_optimizer()
        self.template = torch.rand(batch, 3, 127, 127) * 255
        self.search = torch.rand(batch, 3, 255, 255) * 255
        self.labels = torch.full((batch, 25, 25), -1)
        self.labels[:, 10:14, 10:14] = 1
        self.labels[:, :2, :24] = 0
        self.target = torch.full((batch, 4, 25, 25), 40.0)
        if self.device.type == "cuda":
            for name in ("template", "search", "labels", "target"):
                setattr(self, name, getattr(self, name).pin_memory())
        return {}

    def prepare_optimizer(self):
        learned = [p for p in self.model.parameters() if p.requires_grad]
        self.optimizer = torch.optim.SGD(learned, 0.001, momentum=0.9, weight_decay=1e-4)

    def network(self, name, trained, path):
        given = torch.load(path)
        self.run = self.model = siamban_peer.build(name)
        siamban_peer.load(self.model, given["state"])
        siamban_peer.set_regime(self.model, trained.split(","))
        self.prepare_optimizer()
        self.template, self.search = images_first(given["template"]), images_first(given["search"])
        self.labels, self.target = given["labels"], images_first(given["target"])
        return {}

    def on_device(self, tensor):
        tensor = tensor.to(self.device, non_blocking=True)
        images = tensor.dim() == 4 and "channels_last" in self.variant
        return tensor.contiguous(memory_format=torch.channels_last) if images else tensor

    def synchronize(self):
        if self.device.type == "cuda":
            torch.cuda.synchronize()

    def step(self, repeat=1):
        self.synchronize()
        start = time.perf_counter()
        for _ in range(int(repeat)):
            loss = self.take_step()
        self.synchronize()
        return {"seconds": (time.perf_counter() - start) / int(repeat), "loss": loss.item()}

    def take_step(self):
        self.optimizer.zero_grad()
        template, search = self.on_device(self.template), self.on_device(self.search)
        labels, target = self.on_device(self.labels), self.on_device(self.target)
        with torch.autocast(self.device.type, torch.bfloat16, enabled="bf16" in self.variant):
            cls, loc = self.run(template, search)
        loss = loss_of(cls.float(), loc.float(), labels, target)
        loss.backward()
        nn.utils.clip_grad_norm_(self.model.parameters(), 10)
        self.optimizer.step()
        return loss

    def correlate(self, batch, search, template, channels, dtype, repeat):
        batch, search, template, channels, repeat = map(int, (batch, search, template, channels, repeat))
        options = {"device": self.device, "dtype": getattr(torch, dtype)}
        x = torch.rand(batch, channels, search, search, **options, requires_grad=True)
        z = torch.rand(batch, channels, template, template, **options, requires_grad=True)
        out = search - template + 1
        gradient = torch.rand(batch, channels, out, out, **options)

        def timed(run):
            run()
            self.synchronize()
            start = time.perf_counter()
            for _ in range(repeat):
                run()
            self.synchronize()
            return (time.perf_counter() - start) / repeat

        forward = timed(lambda: siamban_peer.xcorr_depthwise(x, z))
        return {"forward": forward, "backward": timed(lambda: siamban_peer.xcorr_depthwise(x, z).backward(gradient)) - forward}

    def xcorr(self, batch, repeat):
        x = torch.rand(int(batch), 256, 29, 29, requires_grad=True)
        z = torch.rand(int(batch), 256, 5, 5, requires_grad=True)
        gradient = torch.rand(int(batch), 256, 25, 25)
        start = time.perf_counter()
        for _ in range(int(repeat)):
            siamban_peer.xcorr_depthwise(x, z).backward(gradient)
        return {"seconds": (time.perf_counter() - start) / int(repeat)}

    def tracker(self, name, path):
        given = torch.load(path)
        model = siamban_peer.build(name).eval()
        with torch.no_grad():
            siamban_peer.load(model, given["state"])
            template, search = images_first(given["template"]), images_first(given["search"])
            self.track, self.inputs = tracking_peer.Tracking(model), (model.template(template), search)
            cls, loc = self.track(*self.inputs)
        return {"cls": cls.flatten().tolist(), "loc": loc.flatten().tolist()}

    def frames(self, count):
        times = []
        with torch.no_grad():
            for _ in range(int(count)):
                start = time.perf_counter()
                self.track(*self.inputs)
                times.append(time.perf_counter() - start)
        return {"seconds": times}

    def export(self, path):
        features, _ = self.inputs
        inputs = [f"template{i}" for i in range(len(features))] + ["search"]
        names = {"input_names": inputs, "output_names": ["cls", "loc"]}
        torch.onnx.export(self.track, self.inputs, path, opset_version=14, **names)
        return {"features": [{"shape": f.shape, "values": f.flatten().tolist()} for f in features]}

    def memory(self):
        if self.device.type == "cuda":
            return {"peakBytes": torch.cuda.max_memory_reserved()}
        return {"peakBytes": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024}


def main():
    if len(sys.argv) > 1:
        torch.set_num_threads(int(sys.argv[1]))
    session = Session(sys.argv[2] if len(sys.argv) > 2 else "cpu")
    print(json.dumps({"torch": torch.__version__, "threads": torch.get_num_threads()}), flush=True)
    for line in sys.stdin:
        name, *arguments = line.split()
        try:
            answer = getattr(session, name)(*arguments)
        except Exception as error:  # told to the caller, who goes on with other commands
            answer = {"error": f"{type(error).__name__}: {error}"}
        print(json.dumps(answer), flush=True)


if __name__ == "__main__":
    main()
