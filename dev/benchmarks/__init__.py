"""What `make bench` runs: our endpoints against a textbook's, the database's, the framework's."""
