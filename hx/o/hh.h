/* Written by bufpoolc from hh.yaml, do not edit: all of schema hh. */
#ifndef HH_H
#define HH_H

#include "hh_service.h"

#if BP_ABI != 2 || HH_CONTRACT_HASH != 0x470e7bac39ef9845u
#error "generated files of different contracts or library versions are mixed: run bufpoolc again and recompile"
#endif

#endif
