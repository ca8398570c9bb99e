"""`python -m prov_gen.contracts`: write the schema files again."""

import sys

from prov_gen.contracts.generate import write

if __name__ == "__main__":
    for path in write():
        sys.stdout.write(f"wrote {path.name}\n")
