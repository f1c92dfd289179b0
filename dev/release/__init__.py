"""Builds and checks what is released."""
