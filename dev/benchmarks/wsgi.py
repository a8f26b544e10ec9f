"""What gunicorn serves of a site to be compared with; its settings say which."""

from __future__ import annotations

from django.core.wsgi import get_wsgi_application
from django.urls import get_resolver

application = get_wsgi_application()
# loads the site before the fork, as config/wsgi.py does with ours
get_resolver().url_patterns  # noqa: B018 - a property that imports
