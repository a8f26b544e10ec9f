"""A receiver of webhooks on loopback, for trying out, tests and chaos.

It plays what customers do, good and bad, and remembers what it got. It imports nothing of the
product: signatures are verified by the standard's own library.
"""
