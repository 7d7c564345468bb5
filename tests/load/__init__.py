"""What a chunk and a stream cost the local server, beside other ways to pass them on."""
