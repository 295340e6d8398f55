"""What a script host gives up before it runs foreign code; docs/security.md tells the whole."""
