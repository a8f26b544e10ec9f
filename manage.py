#!/usr/bin/env python
"""Django's command line; in a checkout whose stack is up it talks to that stack."""

import os
import sys

from django.core.management import execute_from_command_line

# Libraries' commands that let somebody in past the audit log, and past who is meant by a name.
INSTEAD = {
    "addstatictoken": "reset_second_factor",
    "changepassword": "create_staff EMAIL --role ROLE --existing-user ID",
    "createsuperuser": "create_staff EMAIL --role superuser",
}

if __name__ == "__main__":
    if sys.argv[1:2] and sys.argv[1] in INSTEAD:
        sys.exit(f"manage.py {sys.argv[1]} is not used here: manage.py {INSTEAD[sys.argv[1]]}")
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "config.settings")
    execute_from_command_line(sys.argv)
