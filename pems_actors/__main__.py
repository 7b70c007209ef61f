"""`python -m pems_actors` is the command `pems`."""

import sys

from pems_actors.cli.main import main

sys.exit(main())
