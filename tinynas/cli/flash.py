"""`tinynas flash`."""

from __future__ import annotations

from tinynas.cli.options import BoardOption, ModelArgument, PortOption, progress_console


def flash(model: ModelArgument, board: BoardOption, port: PortOption = None) -> None:
    """Build MODEL into the runner, write it to the board, and wait for the runner to say hello."""
    from tinynas.lab.board import load_board
    from tinynas.lab.build import build_model
    from tinynas.lab.session import open_board

    target = load_board(board)
    with progress_console().status(f"building and flashing {board}"):
        image = build_model(model, target)
        with open_board(target, port=port) as session:
            hello = session.flash(image)
    print(f"{board}: {hello}; image {image.flash_bytes:,} B at {image.elf}")
