"""What is looked at of a domain: its records, and what is served at its addresses."""
