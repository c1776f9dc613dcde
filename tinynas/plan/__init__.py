"""From a Graph to a board: kernels, buffers, offsets, peak SRAM and flash."""
