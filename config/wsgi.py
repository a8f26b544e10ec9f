"""What gunicorn serves."""

from __future__ import annotations

import os

from django.core.wsgi import get_wsgi_application

from common.body_limit import BodyLimit
from common.checks import refuse_to_start

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "config.settings")

django_application = get_wsgi_application()
refuse_to_start()
application = BodyLimit(django_application, limit=1024 * 1024)
