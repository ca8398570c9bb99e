"""An assessment: every check of a framework over a configuration."""

from datetime import date

from prov_gen.model.infrastructure import InfrastructureConfig
from prov_judge.compliance.checks import checks, checks_of, rules_of, variant_of
from prov_judge.compliance.model import FRAMEWORKS, Assessment, Check, Framework, Result
from prov_judge.compliance.rules import judge
from prov_judge.compliance.scope import World
from prov_judge.compliance.waivers import waive


def assess(config: InfrastructureConfig, framework: Framework, *, today: date) -> Assessment:
    """What the checks of a framework say of a configuration on a day. Never "compliant": most of a framework is about people.

    Raises NotFoundError for a framework that is not known.
    """
    return _Judge(config, today).assess(framework)


def assess_all(config: InfrastructureConfig, *, today: date) -> tuple[Assessment, ...]:
    """What each framework says. Most checks ask the same for all of them, and are asked once."""
    judge_all = _Judge(config, today)
    return tuple(judge_all.assess(framework) for framework in FRAMEWORKS)


class _Judge:
    """One configuration before one framework after the other."""

    def __init__(self, config: InfrastructureConfig, today: date) -> None:
        self._world = World(config, today)
        self._today = today
        self._said: dict[tuple[str, str], tuple[Result, ...]] = {}

    def assess(self, framework: Framework) -> Assessment:
        mine = checks_of(framework)
        results = [result for check in mine for result in self._results(check, framework)]
        waivers = self._world.config.waivers
        addresses = {*self._world.addresses, *(result.address for result in results)} if waivers else ()
        waived, notes = waive(results, waivers, known=checks(), mine=mine, addresses=addresses, today=self._today)
        return Assessment(framework, waived, sum(check.is_automatable for check in mine), len(mine), notes)

    def _results(self, check: Check, framework: Framework) -> tuple[Result, ...]:
        key = check.id, variant_of(check.id, framework)
        if key not in self._said:
            self._said[key] = tuple(judge(check, rules_of(*key), self._world))
        return self._said[key]
