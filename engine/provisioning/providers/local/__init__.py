"""The provider `local`: containers of the LXD daemon on this machine, to try a configuration on before it costs anything.

`provider.LocalProvider` is the provider, `access.Access` the way into a running server, `image.build` makes a Debian or Ubuntu
image. What becomes what: a network is a bridge, a subnet a range of addresses on its network's bridge (LXD has none: all of them
reach each other, as in a cloud's network), a server a container, a volume a custom storage volume. Left out are security groups:
a container's interface on a bridge takes no access list, and one at the bridge would hold for all its servers alike.
"""
