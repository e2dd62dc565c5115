"""What is spoken before the handshake, one file for each protocol."""
