"""The calls of Stripe's API, a module for each kind of object."""
