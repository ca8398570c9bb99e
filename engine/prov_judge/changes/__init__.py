"""What is different between two configurations, resource by resource, and why something must be replaced."""
