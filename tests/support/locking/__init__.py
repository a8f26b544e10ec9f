"""An app whose migrations would stop a service in use; only their lint looks at it."""
