/* Adafruit's nRF52 core wants it included where Serial is used. */
