"""Public list prices fetched from where the vendors publish them: AWS's Price List Bulk API, Azure's Retail Prices API.

Others use `run.update`. Each vendor's module turns its format into rows; what is taken and how it is called here is data
(`aws.toml`, `azure.toml`). Built from the published schemas, without a connection to the real services.
"""
