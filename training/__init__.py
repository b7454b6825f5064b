"""Training of the networks that the plugin ships; never imported by the plugin."""
