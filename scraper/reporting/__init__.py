"""What a manifest says: `numbers` reads it, `text` shows it to people, `formats` writes it for programs and pages."""
