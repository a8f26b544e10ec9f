"""What the stages do with a due row. Each step waits for the network; each finish writes back."""
