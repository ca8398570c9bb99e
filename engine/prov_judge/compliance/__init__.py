"""Whether a configuration meets what auditors ask for: checks as data, one interpreter, waivers, reports, and fixes."""
