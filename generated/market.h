/* Written by bufpoolc from contracts.yaml, do not edit: all of schema market. */
#ifndef MARKET_H
#define MARKET_H

#include "market_service.h"

#if BP_ABI != 6 || MARKET_CONTRACT_HASH != 0x3dd784690afe4034u
#error "generated files of different contracts or library versions are mixed: run bufpoolc again and recompile"
#endif

#endif
