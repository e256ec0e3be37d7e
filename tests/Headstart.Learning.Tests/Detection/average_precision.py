"""COCO's average precision, written from the description of pycocotools' COCOeval (evaluateImg, accumulate) and not from ours; the numbers
of DetectionEvaluationTests come from it: python3 average_precision.py (needs numpy)."""
import numpy as np

state = 7


def draw():
    global state
    state = (state * 1103515245 + 12345) % 2**31
    return state / 2**31


def box():
    x, y = draw() * 0.7, draw() * 0.7
    return [x, y, 0.05 + draw() * 0.25, 0.05 + draw() * 0.25]


def scene():
    """Pictures with truth (category, box, crowd) and answers (category, box, score)."""
    pictures = []
    for _ in range(15):
        truth = [(int(draw() * 2), box(), draw() < 0.15) for _ in range(int(draw() * 6))]
        answers = []
        for category, (x, y, w, h), _crowd in truth:
            for _ in range(int(draw() * 3)):
                moved = [x + (draw() - 0.5) * 0.06, y + (draw() - 0.5) * 0.06, w * (0.8 + draw() * 0.4), h * (0.8 + draw() * 0.4)]
                answers.append((category if draw() < 0.85 else 1 - category, moved, draw()))
        for _ in range(int(draw() * 4)):
            answers.append((int(draw() * 3), box(), draw() * 0.6))
        pictures.append((truth, answers))
    return pictures


def iou(d, g, crowd):
    w = min(d[0] + d[2], g[0] + g[2]) - max(d[0], g[0])
    h = min(d[1] + d[3], g[1] + g[3]) - max(d[1], g[1])
    if w <= 0 or h <= 0:
        return 0
    i = w * h
    return i / (d[2] * d[3] if crowd else d[2] * d[3] + g[2] * g[3] - i)


def evaluate_image(truth, answers, threshold, limits):
    ignore = [crowd or not limits[0] <= np.sqrt(b[2] * b[3]) < limits[1] for b, crowd in truth]
    order = np.argsort(ignore, kind="mergesort")
    truth, ignore = [truth[i] for i in order], [ignore[i] for i in order]
    answers = sorted(answers, key=lambda a: -a[1])[:100]
    gtm, dtm, dti = -np.ones(len(truth)), -np.ones(len(answers)), np.zeros(len(answers), bool)
    for dind, (d, _) in enumerate(answers):
        best, m = min(threshold, 1 - 1e-10), -1
        for gind, (g, crowd) in enumerate(truth):
            if gtm[gind] >= 0 and not crowd:
                continue
            if m > -1 and not ignore[m] and ignore[gind]:
                break
            overlap = iou(d, g, crowd)
            if overlap < best:
                continue
            best, m = overlap, gind
        if m == -1:
            dti[dind] = not limits[0] <= np.sqrt(d[2] * d[3]) < limits[1]
            continue
        dti[dind], dtm[dind], gtm[m] = ignore[m], m, dind
    return [a[1] for a in answers], dtm >= 0, dti, sum(not i for i in ignore)


def average_precision(pictures, category, threshold, limits=(0, 9)):
    results = [evaluate_image([(b, crowd) for c, b, crowd in truth if c == category],
                              [(b, score) for c, b, score in answers if c == category], threshold, limits)
               for truth, answers in pictures]
    scores = np.concatenate([r[0] for r in results])
    order = np.argsort(-scores, kind="mergesort")
    matched = np.concatenate([r[1] for r in results]).astype(bool)[order]
    ignored = np.concatenate([r[2] for r in results]).astype(bool)[order]
    positives = sum(r[3] for r in results)
    if positives == 0:
        return float("nan")
    tp, fp = np.cumsum(matched & ~ignored), np.cumsum(~matched & ~ignored)
    recall = tp / positives
    precision = tp / np.maximum(fp + tp, np.spacing(1))
    precision = np.maximum.accumulate(precision[::-1])[::-1]
    at = np.searchsorted(recall, np.linspace(0, 1, 101), side="left")
    return np.mean([precision[i] if i < len(precision) else 0 for i in at])


if __name__ == "__main__":
    scenes = scene()
    print("objects", sum(len(t) for t, _ in scenes), "answers", sum(len(a) for _, a in scenes))
    thresholds = np.linspace(0.5, 0.95, 10)
    for c in range(3):
        print(c, [round(float(average_precision(scenes, c, t)), 6) for t in thresholds],
              round(float(np.mean([average_precision(scenes, c, t) for t in thresholds])), 6),
              "medium", round(float(average_precision(scenes, c, 0.5, (1 / 16, 0.25))), 6))
