"""The pages that a customer's browser sees: plain HTML that works without JavaScript."""
