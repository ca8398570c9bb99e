"""What the product costs in time, memory and tokens, measured against its goals: `python -m benchmarks`.

One module for each area; `catalogue.BENCHMARKS` lists them in the order of the table. Nothing here is imported by the product.
"""
