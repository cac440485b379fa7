"""Scores VOT results with pysot's own toolkit: scoring_peer.py TOOLKIT ANNOTATIONS RESULTS START

TOOLKIT is a clone of pysot whose extension is built (python setup.py build_ext --inplace). Prints
one line of JSON: seconds by the clock since START (a Unix time), processor seconds, start included,
those of scoring once more, and each tracker's figures.
"""

import itertools
import json
import os
import resource
import sys
import time

sys.path.insert(0, sys.argv[1])

import numpy as np  # noqa: E402
from toolkit.evaluation import AccuracyRobustnessBenchmark, EAOBenchmark  # noqa: E402


class Video:
    """What the toolkit asks of a video; its own class opens a picture to learn the size."""

    pred_trajs = {}

    def __init__(self, name, annotation):
        self.name = name
        self.gt_traj = annotation["gt_rect"]
        self.width, self.height = annotation["width"], annotation["height"]

    def load_tracker(self, path, tracker, store=True):
        file = os.path.join(path, tracker, "baseline", self.name, self.name + "_001.txt")
        with open(file) as lines:
            return [[list(map(float, line.strip().split(","))) for line in lines]]

    def select_tag(self, tag, start=0, end=0):
        return ([1] * len(self.gt_traj))[start:end]


class Dataset(list):
    """Videos by number or name."""

    name = "VOT2018"

    def __getitem__(self, key):
        if isinstance(key, str):
            return next(video for video in self if video.name == key)
        return super().__getitem__(key)


def score_all():
    with open(sys.argv[2]) as file:
        videos = Dataset(Video(name, value) for name, value in json.load(file).items())
    videos.tracker_path = sys.argv[3]
    videos.tracker_names = sorted(os.listdir(sys.argv[3]))
    accuracy, eao = AccuracyRobustnessBenchmark(videos).eval(), EAOBenchmark(videos).eval()
    trackers = {}
    for name, parts in accuracy.items():
        trackers[name] = {
            "accuracy": float(np.nanmean(list(itertools.chain(*parts["overlaps"].values())))),
            "lost_number": float(np.sum(list(parts["failures"].values()))),
            "eao": float(eao[name]["all"]),
        }
    return trackers


def cpu_seconds():
    usage = resource.getrusage(resource.RUSAGE_SELF)
    return usage.ru_utime + usage.ru_stime


def main():
    trackers = score_all()
    clock, seconds = time.time() - float(sys.argv[4]), cpu_seconds()
    score_all()
    again = cpu_seconds() - seconds
    times = {"clock": clock, "seconds": seconds, "again": again}
    print(json.dumps({**times, "trackers": trackers}))


main()
