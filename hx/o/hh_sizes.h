/* Written by bufpoolc from hh.yaml, do not edit: sizes and classes of schema hh. */
#ifndef HH_SIZES_H
#define HH_SIZES_H

#define HH_CONTRACT_HASH 0x470e7bac39ef9845u /* of all that wire and pool depend on */
#define HH_SCHEMA_ID 0x1u
#define HH_SCHEMA_VERSION 4
#define HH_MIN_COMPATIBLE 2

/* The size classes of the pool, in bytes. */
#define HH_CLASS_COUNT 1
#define HH_CLASS_SIZES 64

/* Calls X(name, NAME) for every message, ascending by type. */
#define HH_MESSAGE_COUNT 2
#define HH_MESSAGES(X) \
    X(a, A) \
    X(b, B)

/* P: bytes on the wire. */
#define HH_P_SIZE 2

/* G: bytes on the wire. */
#define HH_G_SIZE 3

/* A */
#define HH_A_TYPE 1
#define HH_A_BLOCK 22
#define HH_A_MIN 22
#define HH_A_MAX 31
#define HH_A_ACCEPT_MIN 12
#define HH_A_ACCEPT_MAX 64
#define HH_A_CLASS 64
#define HH_A_CLASS_IX 0
#define HH_A_WASTE 33
#define HH_A_V_CAP 3
#define HH_A_T_CAP 9

/* B */
#define HH_B_TYPE 2
#define HH_B_BLOCK 9
#define HH_B_MIN 9
#define HH_B_MAX 9
#define HH_B_ACCEPT_MIN 9
#define HH_B_ACCEPT_MAX 64
#define HH_B_CLASS 64
#define HH_B_CLASS_IX 0
#define HH_B_WASTE 55

#endif
