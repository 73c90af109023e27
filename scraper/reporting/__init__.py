"""What a manifest says: `numbers` reads it, `text` shows it to people, `formats` writes it for programs and pages.

Knows the manifest. Must not know the net or the output folder. Gives `numbers.report` and its values.
"""
