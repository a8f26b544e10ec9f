"""What Stripe's objects look like; each function makes one, with every field of its kind."""
