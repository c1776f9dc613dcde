/* STM32F405 (RM0090): USART1 (30.6); TIM2 counts, TIM5 counts its 256ths (18.4), so that no interrupt is needed for a
 * count longer than 32 bits. */
#include "cortexm.h"
#include "tn_port.h"

#define USART_SR REG32(0x40011000u)
#define USART_DR REG32(0x40011004u)
#define USART_CR1 REG32(0x4001100Cu)
#define RXNE (1u << 5)
#define TXE (1u << 7)
#define USART1_IRQ 37u
#define PATIENCE (1u << 23) /* polls without a byte */

#define TIM2 0x40000000u
#define TIM5 0x40000C00u
#define TIM_CR1 0x00u
#define TIM_CNT 0x24u
#define TIM_PSC 0x28u
#define TIM_ARR 0x2Cu

void tn_port_init(void) {
  USART_CR1 = (1u << 13) | RXNE | (1u << 3) | (1u << 2); /* on, receive interrupt, transmitter, receiver */
  tn_irq_wakes(USART1_IRQ);
  REG32(TIM5 + TIM_PSC) = 255u;
  REG32(TIM2 + TIM_ARR) = 0xFFFFFFFFu;
  REG32(TIM5 + TIM_ARR) = 0xFFFFFFFFu;
  REG32(TIM2 + TIM_CR1) = 1u;
  REG32(TIM5 + TIM_CR1) = 1u;
}

uint64_t tn_port_ticks(void) {
  uint32_t fine = REG32(TIM2 + TIM_CNT);
  return tn_join_ticks(fine, REG32(TIM5 + TIM_CNT));
}

static uint8_t take(void) {
  uint8_t byte = (uint8_t)USART_DR;
  tn_irq_clear(USART1_IRQ);
  return byte;
}

uint8_t tn_port_get(void) {
  while (!(USART_SR & RXNE)) {
    __asm volatile("wfi");
  }
  return take();
}

int tn_port_get_soon(void) {
  for (uint32_t polls = 0; polls < PATIENCE; polls++) {
    if (USART_SR & RXNE) return take();
  }
  return -1;
}

void tn_port_put(uint8_t byte) {
  while (!(USART_SR & TXE)) {
  }
  USART_DR = byte;
}
