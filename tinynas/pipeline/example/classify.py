"""Classifies one image on the board: python classify.py IMAGE [SERIAL_PORT]

Flashes this run's firmware, sends the image over the serial line and prints what the network says of it.
A virtual board is started for the occasion; for a real one, flash ../firmware.elf with the board's own tool first and
give its serial port.
"""

import json
import sys
from pathlib import Path

import numpy as np

from tinynas.data.images import read_image
from tinynas.lab.board import load_board
from tinynas.lab.build import Image
from tinynas.lab.session import open_board

RUN = Path(__file__).resolve().parent.parent


def main(picture: Path, port: str | None) -> None:
    """Print the labels of `picture`, the likeliest first."""
    about = json.loads((RUN / "model.json").read_text())
    entry, answer = about["input"], about["output"]

    # An image as the network takes it: model.json, "input", says how.
    pixels = read_image(picture, entry["height"], entry["channels"])
    values = (pixels.astype(np.int16) - 128).astype(np.int8)

    with open_board(load_board(about["board"]), port=port) as board:
        if port is None:
            board.flash(Image(elf=RUN / "firmware.elf", **about["firmware"]))
        else:
            board.attach()
        output = board.infer([values])[0]

    probabilities = (output.astype(int) - answer["zero_point"]) * answer["scale"]
    for label, probability in sorted(zip(about["labels"], probabilities, strict=True), key=lambda pair: -pair[1]):
        print(f"{probability:6.1%}  {label}")


if __name__ == "__main__":
    if len(sys.argv) not in (2, 3):
        sys.exit(__doc__)
    main(Path(sys.argv[1]), sys.argv[2] if len(sys.argv) == 3 else None)
