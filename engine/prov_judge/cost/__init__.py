"""What a month of a configuration costs, resource by resource, and how it could cost less.

Others use `estimate.estimate` and `estimate.Estimator`, `difference.compare`, `budget.check`, `document.as_dict` and the types
of `model`; `changing.apply` makes the change of a saving. Prices come from a `PriceBook`, assumptions from the TOML files here.
"""
