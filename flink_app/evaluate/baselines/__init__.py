"""Published rules to compare with, learned over the same events as millirec's own lists.

In: a name and a seed. Out: a `Baseline`; `flink_app.evaluate.prequential` tests and teaches it.
"""

from flink_app.evaluate.baselines.als import Als
from flink_app.evaluate.baselines.base import Baseline, Shape
from flink_app.evaluate.baselines.biased import BiasedMf
from flink_app.evaluate.baselines.gru4rec import Gru4rec
from flink_app.evaluate.baselines.isgd import Isgd, Raisgd
from flink_app.evaluate.baselines.neighbours import ItemKnn, UserKnn
from flink_app.evaluate.baselines.popular import Popular
from flink_app.evaluate.baselines.sessions import Rules, Stan, Vsknn

__all__ = ["BASELINES", "Baseline", "Shape"]

BASELINES: dict[str, type[Baseline]] = {
    kind.name: kind
    for kind in (
        *(Popular, Isgd, Raisgd, BiasedMf, ItemKnn, UserKnn, Als),
        *(Rules, Vsknn, Stan, Gru4rec),
    )
}
"""By the names that `--baseline` knows."""
