"""What is under data/ is read by tests, and some of it is run by them in a pytest of its own."""

collect_ignore = ["data"]
