"""`python -m automl.cli` is `automl`."""

import sys

from automl.cli import main

sys.exit(main())
