"""An assessment: every check of a framework over a configuration."""

from datetime import date

from prov_gen.model.infrastructure import InfrastructureConfig
from prov_judge.compliance.checks import checks, checks_of, rules_of
from prov_judge.compliance.model import Assessment, Framework, Result
from prov_judge.compliance.rules import judge
from prov_judge.compliance.scope import World
from prov_judge.compliance.waivers import waive


def assess(config: InfrastructureConfig, framework: Framework, *, today: date) -> Assessment:
    """What the checks of a framework say of a configuration on a day. Never "compliant": most of a framework is about people.

    Raises NotFoundError for a framework that is not known.
    """
    mine = checks_of(framework)
    world = World(config, framework, today)
    results: list[Result] = []
    for check in mine:
        results.extend(judge(check, rules_of(check.id, framework), world))
    addresses = {*world.addresses, *(result.address for result in results)} if config.waivers else ()
    waived, notes = waive(results, config.waivers, known=checks(), mine=mine, addresses=addresses, today=today)
    return Assessment(framework, waived, sum(check.is_automatable for check in mine), len(mine), notes)
