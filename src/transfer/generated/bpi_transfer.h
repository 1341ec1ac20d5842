/* Written by bufpoolc from transfer.yaml, do not edit: all of schema bpi_transfer. */
#ifndef BPI_TRANSFER_H
#define BPI_TRANSFER_H

#include "bpi_transfer_service.h"

#if BP_ABI != 6 || BPI_TRANSFER_CONTRACT_HASH != 0xd916531c8bea0278u
#error "generated files of different contracts or library versions are mixed: run bufpoolc again and recompile"
#endif

#endif
