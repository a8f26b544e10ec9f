"""How Stripe's API is spoken: forms, errors, keys, lists, expansion, idempotency."""
