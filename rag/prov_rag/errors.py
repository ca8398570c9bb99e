"""What can go wrong with an index, with stable codes."""

from stratumops.errors import InvalidInputError, NotFoundError, UnavailableError


class DocumentNotFoundError(NotFoundError):
    """No document of any source has this path."""

    code = "document_not_found"


class SourceRefusedError(InvalidInputError):
    """A folder cannot become a source of documents."""

    code = "source_refused"


class ModelMissingError(UnavailableError):
    """The embedding model that the settings name is not on this machine."""

    code = "embedding_model_missing"


class IndexBusyError(UnavailableError):
    """Another process writes the index, and did not finish in time."""

    code = "index_busy"
