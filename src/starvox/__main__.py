import sys

from starvox.cli import main

sys.exit(main())
