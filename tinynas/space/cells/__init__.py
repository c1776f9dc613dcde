"""Cell types, one file each; `space.cell.cells` finds them all."""
