"""What a configuration is and how one is made: the models, their Nickel contracts, the evaluator, words to model, templates,
and the seven layers of validation.

Others use: `model` (the configuration's shape), `nickel.Nickel` (the sandboxed evaluator), `generate.generate`,
`layers.validate`, `contracts` (schemas derived from the models). Nothing is imported until it is asked for.
"""
