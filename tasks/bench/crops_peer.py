"""The work of the published cropping scripts on OpenCV, the peer of `deno task bench --only crops`.

  crops_peer.py ROOT

Cuts the 127-pixel and the 511-pixel crop of every frame below ROOT (folders with groundtruth.txt) on
one thread and writes them. Prints one line of JSON: {"cpuMilliseconds": ...}, a frame.
"""

import glob
import json
import os
import sys
import tempfile
import time

import cv2
import numpy as np

cv2.setNumThreads(1)


def cut(image, center, side, size, border):
    scale = (size - 1) / side
    shift = [size / 2 - 0.5 - scale * c for c in center]
    matrix = np.array([[scale, 0, shift[0]], [0, scale, shift[1]]])
    return cv2.warpAffine(
        image, matrix, (size, size), borderMode=cv2.BORDER_CONSTANT, borderValue=border
    )


def main(root):
    frames = 0
    start = time.process_time()
    with tempfile.TemporaryDirectory() as out:
        for truth in glob.glob(os.path.join(root, "**", "groundtruth.txt"), recursive=True):
            boxes = np.loadtxt(truth, delimiter=",", ndmin=2)
            pictures = sorted(glob.glob(os.path.join(os.path.dirname(truth), "*.jpg")))
            for index, (path, (x, y, w, h)) in enumerate(zip(pictures, boxes)):
                image = cv2.imread(path)
                border = np.mean(image, axis=(0, 1))
                margin = (w + h) / 2
                side = np.sqrt((w + margin) * (h + margin))
                center = (x + w / 2, y + h / 2)
                for kind, size in (("z", 127), ("x", 511)):
                    crop = cut(image, center, side * size / 127, size, border)
                    cv2.imwrite(os.path.join(out, "%06d.00.%s.jpg" % (index, kind)), crop)
                frames += 1
    print(json.dumps({"cpuMilliseconds": (time.process_time() - start) * 1000 / frames}))


main(sys.argv[1])
