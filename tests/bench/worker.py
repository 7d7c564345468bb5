"""One process of the benchmark: measures one client and prints the results as JSON.

python -m tests.bench.worker COLUMN GROUP ROOT EFFORT
"""

from __future__ import annotations

import json
import sys
import warnings

from .columns import BY_NAME
from .measures import GROUPS, run
from .server import share_processor


def main() -> None:
    """Run the measurement named on the command line."""
    name, group, root, effort = sys.argv[1:]
    share_processor(with_server=False)
    warnings.simplefilter("ignore")  # some peers leave resources open
    column = BY_NAME[name]
    results = run(column.kind, lambda: GROUPS[group](column, root, int(effort)))
    sys.stdout.write(json.dumps(results))


if __name__ == "__main__":
    main()
