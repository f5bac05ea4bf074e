"""Gradient-boosted trees that order the ranker's candidates: scikit-learn, then ONNX.

pip install scikit-learn skl2onnx pyarrow
python trees.py ranked ranker.onnx
"""

from __future__ import annotations

import sys

from rankings import FEATURES, candidates, compare, read, save, split, weights
from skl2onnx import to_onnx
from sklearn.ensemble import HistGradientBoostingClassifier


def main(log: str, out: str) -> None:
    """Train on a log, and write the model."""
    train, test = split(read(log))
    x, y = candidates(train)
    trees = HistGradientBoostingClassifier(
        max_leaf_nodes=8, min_samples_leaf=20 + len(x) // 1000, early_stopping=False
    )
    trees.fit(x, y, sample_weight=weights(train))
    compare(test, trees.predict_proba(candidates(test)[0])[:, 1])

    # `probabilities` is [n, 2] with zipmap off; the job reads its last column.
    model = to_onnx(trees, x[:1], options={"zipmap": False}, target_opset=17)
    save(model, out, features=",".join(FEATURES))


if __name__ == "__main__":
    main(*sys.argv[1:])
