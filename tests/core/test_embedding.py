"""Embeddings: vectors as arrays and as base64."""

from __future__ import annotations

import base64
import json
import struct
from typing import Any

import pytest
from attrs import frozen

from autonomousai_sdk._core.codec import DecodeError, decode
from autonomousai_sdk._core.embedding import EmbeddingAccessors, EmbeddingListAccessors

ENCODED = base64.b64encode(struct.pack("<2f", 1, 2.5)).decode()


@frozen(kw_only=True, slots=False)
class Embedding(EmbeddingAccessors):
    """One vector."""

    index: int = 0
    embedding: tuple[float, ...] | str


@frozen(kw_only=True, slots=False)
class EmbeddingList(EmbeddingListAccessors):
    """All vectors."""

    data: tuple[Embedding, ...]


def decoded(*entries: dict[str, Any]) -> EmbeddingList:
    """The list that a response's document stands for."""
    return decode(json.dumps({"data": entries}).encode(), EmbeddingList)


@pytest.mark.parametrize("embedding", [[1, 2.5], ENCODED])
def test_a_vector_has_the_numbers_of_either_encoding(embedding: object) -> None:
    """`vector` has the numbers of an array or of base64 of 32-bit numbers."""
    (entry,) = decoded({"embedding": embedding}).data
    assert entry.vector == (1.0, 2.5)


def test_vectors_are_in_the_order_of_the_inputs() -> None:
    """`vectors` sorts by the index, since servers may answer in another order."""
    made = decoded({"index": 1, "embedding": [1]}, {"index": 0, "embedding": [0]})
    assert made.vectors == ((0.0,), (1.0,))


@pytest.mark.parametrize("embedding", ["AAA=", "not base64", "AAAAA"])
def test_text_that_does_not_hold_numbers_is_refused(embedding: str) -> None:
    """A document with text that is not base64 of 32-bit numbers cannot be decoded."""
    with pytest.raises(DecodeError, match="not base64 of 32-bit numbers"):
        decoded({"embedding": embedding})
