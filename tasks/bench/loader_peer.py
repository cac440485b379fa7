"""The work of a Python loader on OpenCV, the peer that `deno task bench --only loader` times against.

  loader_peer.py CROPS ANNOTATIONS PAIRS

Makes PAIRS training pairs on one thread, after some that do not count, with the published settings:
template shift 4 and scale 0.05, search shift 64, scale 0.18 and blur 0.2, colour always, one pair in
five negative. Prints one line of JSON: {"pairs": ..., "seconds": ..., "cpuSeconds": ...}.
"""

import json
import os
import sys
import time

import cv2
import numpy as np

EXEMPLAR, SEARCH, POINTS, STRIDE = 127, 255, 25, 8
DIRECTIONS = np.array(
    [
        [-0.55919361, 0.98062831, -0.41940627],
        [1.72091413, 0.19879334, -1.82968581],
        [4.64467907, 4.73710203, 4.88324118],
    ],
    dtype=np.float32,
)
FIRST = SEARCH // 2 - POINTS // 2 * STRIDE
X, Y = np.meshgrid(
    np.arange(FIRST, FIRST + POINTS * STRIDE, STRIDE, dtype=np.float32),
    np.arange(FIRST, FIRST + POINTS * STRIDE, STRIDE, dtype=np.float32),
)
random = np.random.RandomState(1)


def signed():
    return 2 * random.random_sample() - 1


def read(crops, target):
    """A picture, and the box of its target there."""
    video, track, frame, box = target
    image = cv2.imread(os.path.join(crops, video, "%s.%s.x.jpg" % (frame, track)))
    w, h = box[2] - box[0], box[3] - box[1]
    scale = EXEMPLAR / np.sqrt((w + (w + h) / 2) * (h + (w + h) / 2))
    cx, cy = image.shape[1] // 2, image.shape[0] // 2
    return image, (cx - w * scale / 2, cy - h * scale / 2, cx + w * scale / 2, cy + h * scale / 2)


def augment(image, box, size, shift, scale, blur):
    height, width = image.shape[:2]
    sx = min(1 + signed() * scale, width / (size - 1))
    sy = min(1 + signed() * scale, height / (size - 1))
    w, h = (size - 1) * sx, (size - 1) * sy
    x1, y1 = height // 2 - w / 2, height // 2 - h / 2
    x1 += max(-x1, min(width - 1 - x1 - w, signed() * shift))
    y1 += max(-y1, min(height - 1 - y1 - h, signed() * shift))
    a, b = (size - 1) / w, (size - 1) / h
    image = cv2.warpAffine(
        image,
        np.array([[a, 0, -a * x1], [0, b, -b * y1]]),
        (size, size),
        borderMode=cv2.BORDER_CONSTANT,
        borderValue=(0, 0, 0),
    )
    image = image - np.dot(DIRECTIONS, random.randn(3, 1))[::-1].reshape(3)
    if blur > random.random_sample():
        side = random.choice(np.arange(5, 46, 2))
        share, kernel = random.random_sample(), np.zeros((side, side))
        kernel[:, side // 2] += share / side
        kernel[side // 2, :] += (1 - share) / side
        image = cv2.filter2D(image, -1, kernel)
    return image, ((box[0] - x1) / sx, (box[1] - y1) / sy, (box[2] - x1) / sx, (box[3] - y1) / sy)


def keep(places, count):
    order = np.arange(len(places[0]))
    if len(order) <= count:
        return places
    random.shuffle(order)
    return tuple(place[order[:count]] for place in places)


def label(box, negative):
    labels = -np.ones((POINTS, POINTS), dtype=np.int64)
    distances = np.zeros((4, POINTS, POINTS), dtype=np.float32)
    cx, cy = (box[0] + box[2]) / 2, (box[1] + box[3]) / 2
    w, h = box[2] - box[0], box[3] - box[1]
    small = np.square(cx - X) / np.square(w / 4) + np.square(cy - Y) / np.square(h / 4)
    if negative:
        labels[keep(np.where(small < 1), 16)] = 0
        return labels, distances
    distances[:] = X - box[0], Y - box[1], box[2] - X, box[3] - Y
    large = np.square(cx - X) / np.square(w / 2) + np.square(cy - Y) / np.square(h / 2)
    labels[keep(np.where(small < 1), 16)] = 1
    labels[keep(np.where(large > 1), 48)] = 0
    return labels, distances


def tracks_of(annotations):
    with open(annotations) as file:
        content = json.load(file)
    return [
        [(video, track, frame, box) for frame, box in sorted(frames.items())]
        for video, tracks in content.items()
        for track, frames in tracks.items()
    ]


def make_pair(crops, tracks):
    track = tracks[random.randint(len(tracks))]
    negative = random.random_sample() < 0.2
    other = tracks[random.randint(len(tracks))] if negative else track
    z, z_box = read(crops, track[random.randint(len(track))])
    x, x_box = read(crops, other[random.randint(len(other))])
    z, _ = augment(z, z_box, EXEMPLAR, 4, 0.05, 0)
    x, x_box = augment(x, x_box, SEARCH, 64, 0.18, 0.2)
    labels, distances = label(x_box, negative)
    return {
        "template": z.transpose((2, 0, 1)).astype(np.float32),
        "search": x.transpose((2, 0, 1)).astype(np.float32),
        "labels": labels,
        "distances": distances,
        "box": np.array(x_box),
    }


def main(crops, annotations, pairs):
    cv2.setNumThreads(1)
    tracks = tracks_of(annotations)
    for _ in range(20):
        make_pair(crops, tracks)
    wall, cpu = time.perf_counter(), time.process_time()
    for _ in range(pairs):
        make_pair(crops, tracks)
    cpu_seconds, seconds = time.process_time() - cpu, time.perf_counter() - wall
    print(json.dumps({"pairs": pairs, "seconds": seconds, "cpuSeconds": cpu_seconds}))


if __name__ == "__main__":
    main(sys.argv[1], sys.argv[2], int(sys.argv[3]))
