"""The knowledge base in force, opened: stored files, embedding model and lanes, wired together."""

from collections.abc import Callable
from typing import TYPE_CHECKING

from secai_assets.resources.house import House
from secai_lib.core.errors import StorageError
from secai_lib.core.manifest import Manifest
from secai_lib.core.model import ModelFormat
from secai_lib.core.record import content_hash

if TYPE_CHECKING:
    from secai_lib.gateways.embedder import SentenceEmbedder
    from secai_lib.rag import KnowledgeBase

PRODUCT = "knowledge_base"
_TRIES = 3
"""How often it may be replaced under our hands; each takes a run of the flow."""


def open_knowledge(house: House) -> "KnowledgeBase":
    """The knowledge base in force, ready to be asked; the model is loaded by the first search.

    Raises:
        StorageError: there is none, it is damaged, or it was made with another embedding model.
    """
    # numpy, bm25s and faiss belong to the optional model packages
    from secai_lib.gateways.knowledge_files import unpack
    from secai_lib.rag import KnowledgeBase

    manifest, files = stored_files(house)
    contents, embedder = unpack(files), open_embedder(house)
    if contents.header.model != embedder.identity:
        raise StorageError(
            "the knowledge base was made with another embedding model; "
            "run `secai run --until knowledge_base` to make it anew"
        )
    return KnowledgeBase(
        content_hash(manifest),
        contents.documents,
        contents.index,
        embedder,
        constant=house.settings.knowledge.fusion_constant,
    )


def open_embedder(
    house: House, say: Callable[[str], None] = lambda _line: None
) -> "SentenceEmbedder":
    """The embedding model as it was recorded; `say` is told how far it got.

    Raises:
        StorageError: it was never materialized, or its files are gone.
    """
    from secai_assets.assets.embedding_model import read_embedding_model
    from secai_lib.gateways.embedder import SentenceEmbedder

    model = read_embedding_model(house)
    folder = house.shelf.folder(model, ModelFormat.SAFETENSORS)
    return SentenceEmbedder(
        folder, model.identity, threads=house.settings.inference.threads, say=say
    )


def stored_files(house: House) -> tuple[Manifest, dict[str, bytes]]:
    """Manifest and files of one and the same version.

    Raises:
        StorageError: there is none yet, or a file is damaged.
    """
    from secai_lib.gateways.knowledge_files import FILES

    for _ in range(_TRIES):
        manifest = house.store.require(PRODUCT)
        files = {name: house.store.read(PRODUCT, name) for name in FILES}
        if house.store.manifest(PRODUCT) == manifest:
            return manifest, files
    raise StorageError("the knowledge base is being replaced all the time; try again later")
