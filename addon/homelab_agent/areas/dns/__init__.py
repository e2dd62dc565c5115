"""DNS: providers, what they hold, planned and applied changes, what authoritative servers say."""
