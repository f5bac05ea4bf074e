"""Texts as vectors, by a sentence transformer: all-MiniLM-L6-v2, or another of its form.

In: texts. Out: float32[n, d], unit vectors (d = 384): the mean of the last layer over a text's
tokens (Reimers and Gurevych: Sentence-BERT, EMNLP 2019), of its first 256 tokens, less what all
texts have in common (Mu and Viswanath: All-but-the-Top, ICLR 2018), estimated from a few phrases.
Without that, any two texts are alike by .25, and hashed words that happen to point the same way
would be near everything.

One text at a time: the quantised network scales its activations by their largest value in a batch,
so in a batch a vector would depend on the other texts, and a batch is not faster.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from udfs.encoders.networks import model_file, needed, session
from udfs.errors import ConfigError

TOKENS = 256
"""Tokens of a text that count, the first: as the model was trained."""
_PHRASES = """red shirt, copper kettle, garden chair, a love story, wireless phone, children's book,
running shoes, history of the war, coffee, office lamp, summer dress, the big game, music album,
dog food, kitchen knife, night train, winter jacket, face cream, computer keyboard, old friends,
board game, bicycle, guide to the city, cheese, the secret of the house, power drill, necklace,
cook book, ball, sofa""".replace("\n", " ").split(", ")
_CHARACTERS = 40 * TOKENS  # nearly always more than so many tokens; the rest is not even looked at


class TextEncoder:
    """See the module.

    Raises:
        ConfigError: a package or a file is missing, or the network is none of texts.
    """

    def __init__(self, model: str) -> None:
        tokenizers = needed("tokenizers", "text")
        self._session = session(model_file(model, "text.model"), "text")
        file = model_file(model, "text.model", "tokenizer.json")
        try:
            self._tokenizer = tokenizers.Tokenizer.from_file(str(file))
        except Exception as error:  # tokenizers raises bare exceptions
            raise ConfigError(f"text.model: {file} is no tokenizer: {error}") from error
        self._tokenizer.enable_truncation(TOKENS)
        self._tokenizer.no_padding()
        self._inputs = {one.name for one in self._session.get_inputs()}
        if "input_ids" not in self._inputs:
            raise ConfigError(
                f'text.model is "{model}", whose network has the inputs {sorted(self._inputs)} and '
                "no input_ids: it is none of texts. Name a sentence transformer."
            )
        self.dimensions = len(self._mean("a"))
        self._common = np.mean([_unit(self._mean(phrase)) for phrase in _PHRASES], axis=0)

    def encode(self, texts: Sequence[str]) -> NDArray[np.float32]:
        """The vectors of `texts`, float32[n, d], each of length 1."""
        found = np.empty((len(texts), self.dimensions), np.float32)
        for row, text in enumerate(texts):
            found[row] = self._one(text)
        return found

    def _one(self, text: str) -> NDArray[np.float32]:
        mean = _unit(self._mean(text))
        return _unit(mean - self._common) if mean.any() else mean

    def _mean(self, text: str) -> NDArray[np.float32]:
        # A lone half of a surrogate pair cannot be encoded.
        clean = text[:_CHARACTERS].encode(errors="replace").decode()
        ids = np.array([self._tokenizer.encode(clean).ids], np.int64)
        if not ids.size:  # a tokenizer without marks of begin and end
            return np.zeros(self.dimensions, np.float32)
        given = {"input_ids": ids, "attention_mask": np.ones_like(ids)}
        given["token_type_ids"] = np.zeros_like(ids)
        used = {name: array for name, array in given.items() if name in self._inputs}
        layer: NDArray[np.float32] = self._session.run(None, used)[0][0]
        return layer.mean(axis=0) if layer.ndim == 2 else layer  # some have the mean within


def _unit(vector: NDArray[np.float32]) -> NDArray[np.float32]:
    found: NDArray[np.float32] = vector / max(float(np.linalg.norm(vector)), 1e-12)
    return found
