"""The `tinynas` command, one thin file per command."""
