"""The engine's tools: plan, apply, watch, ask what there is, and look after what is recorded. Thin: the words, and the call."""
