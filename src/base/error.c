#include "bufpool/base.h"

const char *bp_err_text(bp_err err) {
    switch (err) {
#define BP_ERROR(name, number, text) \
    case name: return text;
#include "bufpool/errors.def"
#undef BP_ERROR
    }
    return "unknown error";
}

const char *bp_err_name(bp_err err) {
    switch (err) {
#define BP_ERROR(name, number, text) \
    case name: return #name;
#include "bufpool/errors.def"
#undef BP_ERROR
    }
    return "BP_ERR_?";
}

const char *bp_version(void) { return BP_VERSION; }

uint32_t bp_abi(void) { return BP_ABI; }
