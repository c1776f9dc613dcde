/* GPIO port of every STM32 family here: MODER at 0x00, AFRL and AFRH at 0x20. The port's clock must be on. */
#ifndef TN_STM32_GPIO_H
#define TN_STM32_GPIO_H

#include "bits.h"

static inline void tn_alternate(uint32_t gpio, unsigned pin, unsigned function) {
  tn_field(gpio + 0x20u + 4u * (pin / 8u), 4u * (pin % 8u), 4u, function);
  tn_field(gpio, 2u * pin, 2u, 2u);
}

#endif
