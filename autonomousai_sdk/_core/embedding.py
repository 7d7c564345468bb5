"""Embeddings as numbers, whichever encoding the server used."""

from __future__ import annotations

import binascii
import struct
from functools import cached_property
from typing import Any


class EmbeddingAccessors:
    """The vector of an embedding, mixed into its class."""

    embedding: Any

    def __attrs_post_init__(self) -> None:
        """Refuse base64 that does not hold numbers.

        Raises:
            ValueError: the text is not base64 of 32-bit numbers.
        """
        if isinstance(self.embedding, str):
            _ = self.vector

    @cached_property
    def vector(self) -> tuple[float, ...]:
        """The numbers of the embedding, decoded if it is base64.

        Examples:
            >>> len(client.embeddings.create("Hello", model="nomic-embed-text").data[0].vector)
            768
        """
        if not isinstance(self.embedding, str):
            return tuple(self.embedding)
        try:
            data = binascii.a2b_base64(self.embedding, strict_mode=True)
            return struct.unpack(f"<{len(data) // 4}f", data)
        except (ValueError, struct.error) as error:
            raise ValueError(f"the embedding is not base64 of 32-bit numbers: {error}") from error


class EmbeddingListAccessors:
    """The vectors of a list of embeddings, mixed into its class."""

    data: Any

    @property
    def vectors(self) -> tuple[tuple[float, ...], ...]:
        """The vectors in the order of the inputs.

        Examples:
            >>> first, second = client.embeddings.create(["a", "b"], model="m").vectors
        """
        positions = [getattr(each, "index", 0) for each in self.data]
        ordered = sorted(zip(positions, self.data, strict=True), key=lambda pair: pair[0])
        return tuple(each.vector for _, each in ordered)
