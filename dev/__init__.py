"""What `make` runs: nothing here is in the wheel or in the image."""
