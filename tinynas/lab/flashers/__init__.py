"""Programs that write an image to a board: one file each, one interface, chosen by the board file."""
