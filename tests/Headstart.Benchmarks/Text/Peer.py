"""What scikit-learn says of the same texts. Each argument is a folder with train.tsv and test.tsv; prints the accuracies of each."""
import sys
from sklearn.feature_extraction.text import TfidfVectorizer
from sklearn.linear_model import LogisticRegression, LogisticRegressionCV
from sklearn.metrics import f1_score
from sklearn.pipeline import make_pipeline


def read(path):
    rows = [line.rstrip("\n").split("\t", 1) for line in open(path, encoding="utf-8")][1:]
    return [text for _, text in rows], [label for label, _ in rows]


for folder in sys.argv[1:]:
    (texts, labels), (unseen, truth) = read(folder + "/train.tsv"), read(folder + "/test.tsv")
    out = []
    folds = min(5, min(labels.count(label) for label in set(labels)))
    for model in (
        make_pipeline(TfidfVectorizer(), LogisticRegression(max_iter=1000)),
        make_pipeline(TfidfVectorizer(ngram_range=(1, 2), sublinear_tf=True), LogisticRegressionCV(Cs=[0.1, 1, 10, 100], cv=folds, max_iter=1000)),
    ):
        answers = model.fit(texts, labels).predict(unseen)
        out += [sum(a == t for a, t in zip(answers, truth)) / len(truth), f1_score(truth, answers, pos_label=sorted(set(truth))[-1])]
    print(*out, flush=True)
