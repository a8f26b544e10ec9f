"""Reelmint's emulator of Stripe: what sells credits, played on this machine.

It speaks Stripe's API over real HTTP, so that the official clients run against it unchanged, shows
a page where people pay, and sends signed webhooks. No money is charged.

``python -m dev.stripe --port 9100`` starts it. Stripe's test card numbers work, and a word in the
customer's e-mail address plays a scenario: ``buyer+twice+refund@example.com``;
``dev/stripe/README.md`` lists them all.

It imports nothing of the product, and the product imports nothing of it.
"""
