"""Evidence for a sharp picture: what the blurred image supports, contradicts, or leaves open."""
