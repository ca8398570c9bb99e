"""Commands that only a person runs; an assistant has no tool for them."""
