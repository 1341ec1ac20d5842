/* bufpool/bufpool.h: all public headers of the library. Programs that use one room may include that room alone. */
#ifndef BUFPOOL_BUFPOOL_H
#define BUFPOOL_BUFPOOL_H

#include "bufpool/base.h"
#include "bufpool/pool.h"
#include "bufpool/frame.h"
#include "bufpool/transfer.h"
#include "bufpool/transport.h"

#endif
