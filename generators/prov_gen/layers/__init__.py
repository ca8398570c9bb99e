"""The seven layers of validation: shape, catalogue, network, references, security, limits, rendered.

Others use `pipeline.validate` and `limits.Pricer`. A layer is a function from the configuration to findings; it sees a
configuration that has passed layer 1, where needed without the parts that did not.
"""
