/* CRC-32 of IEEE 802.3 (zlib's), one byte at a time. */
#ifndef TN_CRC32_H
#define TN_CRC32_H

#include <stdint.h>

/* Start with 0; the result of one call is the `crc` of the next. */
uint32_t tn_crc32(uint32_t crc, uint8_t byte);

#endif
