#!/usr/bin/env python
"""The hub's command line."""

import os
import sys

if __name__ == "__main__":
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "jobhub.settings")
    from jobhub.command_line import CommandLine

    CommandLine(sys.argv).execute()
