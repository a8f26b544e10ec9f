"""Reelmint's Vertex AI emulator: Google's video and image models, played on this machine.

It speaks the wire protocols of Vertex AI (Veo, the Interactions API, the image models) and of
Cloud Storage over real HTTP, so that the production client runs against it unchanged, and renders
real MP4 and PNG files. Outputs are synthetic.

``python -m dev.emulator --port 9000`` starts it. A marker in a prompt plays a scenario, as test
card numbers do: ``[emulator:filtered]``, ``[emulator:busy=2]``, ``[emulator:accepted-then-reset]``,
``[emulator:error=13 slow=5]``; ``dev/emulator/README.md`` lists them all.

It imports nothing of the product, and the product imports nothing of it.
"""
