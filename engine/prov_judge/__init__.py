"""What a configuration costs, whether it complies, and what changing it means.

Others use: `cost.estimate` and `prices.PriceBook`, `compliance.assess`, `changes.compare`, `migration.plan`. Everything here
takes models (`prov_gen.load` makes them of text) and answers values; nothing is written, and nothing in the world changes.
"""
