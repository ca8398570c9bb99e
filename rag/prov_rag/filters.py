"""What a search is limited to."""

from collections.abc import Sequence
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Filter:
    """Documents of any of `types`, any of `tags`, of `service`, `updated` from `since` to `until` (ISO dates), any of `sources`.

    What is empty limits nothing.
    """

    types: Sequence[str] = ()
    tags: Sequence[str] = ()
    service: str = ""
    since: str = ""
    until: str = ""
    sources: Sequence[str] = ()

    def condition(self) -> tuple[str, list[str]]:
        """The condition in SQL over the table `documents`, and the values of its question marks; empty when all may be found."""
        parts: list[str] = []
        values: list[str] = []
        services = [self.service] if self.service else []
        for column, wanted in (("type", self.types), ("source", self.sources), ("service", services)):
            if wanted:
                parts.append(f"{column} in ({_marks(wanted)})")
                values += [name if column == "source" else name.lower() for name in wanted]
        if self.tags:
            any_tag = "exists (select 1 from json_each(documents.tags) where value in ({}))"
            parts.append(any_tag.format(_marks(self.tags)))
            values += [tag.lower() for tag in self.tags]
        for sign, day in ((">=", self.since), ("<=", self.until)):
            if day:
                parts.append(f"updated {sign} ?")
                values.append(day[:10])
        return " and ".join(parts), values


def _marks(values: Sequence[str]) -> str:
    return ",".join("?" * len(values))
