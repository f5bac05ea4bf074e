"""The shell of the encoder."""

from __future__ import annotations

import pickle
from pathlib import Path

from tests.udfs.encoders.networks import text_network
from tests.udfs.flink import Subtask
from udfs.accounts import unpack_account
from udfs.events.item_changes import ItemChange, pack_changes, unpack_changes
from udfs.learning.effects import END
from udfs.operators.encoder import Encoder
from udfs.options.encoders import Images, Text

KEY = 7


def test_changes_go_through_with_vectors_behind_them(tmp_path: Path) -> None:
    operator = Encoder(Text(model=text_network(tmp_path / "words")), Images(), [3, KEY])
    subtask = Subtask(pickle.loads(pickle.dumps(operator)))
    change = ItemChange("a", 5, {"title": "Red kettle"})
    passed, (_, account) = subtask.process(KEY, (KEY, pack_changes([change])))
    assert (passed[0], unpack_changes(passed[1])) == (KEY, [change])
    assert unpack_account(account).encoder == {"waiting": 1}
    last = [one for one in subtask.fire(END) if one[0] == KEY]
    [[vectors]] = [unpack_changes(data) for _, data in last]
    assert (vectors.item, vectors.ts, list(vectors.fields)) == ("a", 5, ["text_vector"])
    assert subtask.metrics.counters["encoded"] == 1
    operator = subtask.operator
    operator.close()
    Encoder(Text(), Images(), []).close()  # of a job that was cancelled before it opened
