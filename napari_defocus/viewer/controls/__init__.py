"""Controls that several panels have, and the panel that processes one image."""
