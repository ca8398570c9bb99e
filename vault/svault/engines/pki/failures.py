"""The sentences of failures that the client cannot repair by another body: Vault's 500 with its list of one error."""

from svault.errors import InternalError


def failure(sentence: str) -> InternalError:
    """A 500 in the shape in which Vault's servers print the errors of a handler. The sentence never holds a secret value."""
    return InternalError(f"1 error occurred:\n\t* {sentence}\n\n")
