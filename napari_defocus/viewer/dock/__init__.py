"""The dock *Defocus*, with all steps."""
