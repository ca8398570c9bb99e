"""What a month of a configuration costs, resource by resource, and how it could cost less."""
