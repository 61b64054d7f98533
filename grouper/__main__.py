"""`python -m grouper`."""

import sys

from grouper.cli.main import main

sys.exit(main())
