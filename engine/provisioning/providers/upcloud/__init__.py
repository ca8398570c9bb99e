"""UpCloud: servers, block storage, private networks, firewalls and load balancers, over its HTTP API 1.3.

Front door: `provider.UpCloud`. Everything that it makes carries labels (`labels`), by which a creation that was cut off is found
again. UpCloud has no security groups: a group is an empty server group that carries the labels, and its rules stand in the
firewall of every server that names it (`firewall`).
"""
