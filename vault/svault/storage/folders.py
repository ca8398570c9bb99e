"""The names under each prefix, kept beside an index of keys, so that a list costs what it answers and not what is stored."""


class Folders:
    """A tree of keys. Leaves are the caller's own key strings, so that they take no memory of their own."""

    __slots__ = ("_children",)

    def __init__(self) -> None:
        self._children: dict[str, set[str]] = {}

    def add(self, key: str) -> None:
        """Make a key known; one that is known already changes nothing."""
        child = key
        while True:
            folder = _folder_of(child)
            children = self._children.get(folder)
            if children is not None:
                children.add(child)
                return
            self._children[folder] = {child}
            if not folder:
                return
            child = folder

    def remove(self, key: str) -> None:
        """Forget a key, and each folder that is empty without it."""
        child = key
        while True:
            folder = _folder_of(child)
            children = self._children.get(folder)
            if children is None:
                return
            children.discard(child)
            if children:
                return
            del self._children[folder]
            if not folder:
                return
            child = folder

    def names(self, prefix: str) -> list[str]:
        """The names directly under a prefix (empty, or ending in `/`), sorted; folders end in `/`."""
        cut = len(prefix)
        return sorted(child[cut:] for child in self._children.get(prefix, ()))


def _folder_of(child: str) -> str:
    return child[: child.rfind("/", 0, len(child) - 1) + 1]
