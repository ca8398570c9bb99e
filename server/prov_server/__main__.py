"""`python -m prov_server` is `prov`."""

from prov_server.entry import main

main()
