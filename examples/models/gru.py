"""What comes after a user's last items, by a recurrent network: a GRU in PyTorch, then ONNX.

pip install torch onnxscript pyarrow
python gru.py ranked sequence.onnx
"""

from __future__ import annotations

import json
import sys

import torch
from rankings import read, save
from torch import nn

LAST, WIDTH = 20, 64


class Gru(nn.Module):
    """int64[n, LAST], rows of the vocabulary, oldest first, 0 before them → float32[n, WIDTH], what
    comes next, and float32[V, WIDTH], the items: one vector says what an item is and what follows.
    """

    def __init__(self, items: int) -> None:
        super().__init__()
        self.items = nn.Embedding(items + 1, WIDTH, padding_idx=0)
        self.items.weight.data *= 0.1  # near 0 at first: what tells items apart is learned
        self.gru = nn.GRU(WIDTH, WIDTH, batch_first=True)
        self.drop = nn.Dropout(0.3)

    def forward(self, items: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
        """See the class."""
        states, _ = self.gru(self.drop(self.items(items)))
        return self.drop(states[:, -1]), self.items.weight


def main(log: str, out: str) -> None:
    """Train on a log, and write the model."""
    rows = [row for row in read(log, "at", "history", "taken") if row["history"]]
    ids = sorted({item for row in rows for item in [*row["history"], row["taken"]]})
    place = {item: at + 1 for at, item in enumerate(ids)}
    last = [[place[item] for item in row["history"][-LAST:]] for row in rows]
    x = torch.tensor([[0] * (LAST - len(some)) + some for some in last])
    y = torch.tensor([place[row["taken"]] for row in rows])

    model = Gru(len(ids))
    optimizer = torch.optim.Adam(model.parameters(), 0.003)
    for epoch in range(10):
        for batch in torch.randperm(len(x)).split(256):
            vector, items = model(x[batch])
            loss = nn.functional.cross_entropy(vector @ items.T, y[batch])
            optimizer.zero_grad()
            loss.backward()
            optimizer.step()
        print(f"epoch {epoch + 1}: loss {loss.item():.3f}")

    names = {"input_names": ["items"], "output_names": ["vector", "item_vectors"]}
    shapes = {"items": {0: torch.export.Dim("n")}}
    program = torch.onnx.export(
        model.eval(), (x[:2],), dynamic_shapes=shapes, **names, verbose=False
    )
    save(program.model_proto, out, items=json.dumps(ids))


if __name__ == "__main__":
    main(*sys.argv[1:])
