"""A classifier as one would train it with torch, PIL and scikit-learn: features of a pretrained network, logistic regression whose C is
chosen by 5-fold cross-validation. Prints a line of JSON when the head is fitted, and another with its accuracy on the test photographs."""

import time

started = time.perf_counter()

import json  # noqa: E402
import sys  # noqa: E402
from pathlib import Path  # noqa: E402

import numpy  # noqa: E402
import torch  # noqa: E402
from PIL import Image  # noqa: E402
from sklearn.linear_model import LogisticRegression  # noqa: E402
from sklearn.model_selection import GridSearchCV  # noqa: E402

sys.path.append(str(Path(__file__).parent.parent))
from network import load_backbone, normalise, prepare  # noqa: E402

BATCH = 16


def features(files):
    rows = []
    with torch.inference_mode():
        for start in range(0, len(files), BATCH):
            images = [prepare(Image.open(file).convert("RGB")) for file in files[start:start + BATCH]]
            rows.append(normalise(backbone(torch.stack(images))))
    return torch.cat(rows).numpy()


def read(split):
    files = sorted(file for file in (data / split).glob("*/*") if file.is_file())
    return files, [file.parent.name for file in files]


folder, data = Path(sys.argv[1]), Path(sys.argv[2])
backbone = load_backbone(folder)
loaded = time.perf_counter()
files, categories = read("train")
search = GridSearchCV(LogisticRegression(max_iter=2000), {"C": numpy.logspace(-2, 4, 7)}, cv=5)
search.fit(features(files), categories)
print(json.dumps({"images": len(files), "imports": loaded - started, "fitted": time.perf_counter() - loaded}), flush=True)
test, answers = read("test")
print(json.dumps({"accuracy": search.score(features(test), answers), "test": len(test)}), flush=True)
