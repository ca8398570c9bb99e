"""What would change and at what risk: `make.make_plan`, `model.Plan`, `picture.as_svg`, `stale.differences`."""
