"""What makes parts of this project again; not shipped."""
