"""What the suite sends: requests and images that are right, unusual or wrong, all of them the same in every run."""
