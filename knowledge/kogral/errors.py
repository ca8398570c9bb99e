"""What can go wrong with a graph, with stable codes."""

from stratumops.errors import ConflictError, InvalidInputError, NotFoundError, UnavailableError


class NodeNotFoundError(NotFoundError):
    """No node of any graph has this id."""

    code = "node_not_found"


class NodeRefusedError(InvalidInputError):
    """What should become a node cannot: a title without words, a type or a time that does not fit."""

    code = "node_refused"


class CycleError(ConflictError):
    """A node cannot come to supersede itself, whatever stands between."""

    code = "supersede_cycle"


class GraphUnwritableError(UnavailableError):
    """The graph's folder cannot be written."""

    code = "graph_unwritable"
