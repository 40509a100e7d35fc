"""Pages for payers and for people who print: plain HTML, phone-sized, English and French."""
