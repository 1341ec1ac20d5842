#include "codegen/ids.h"

void *cg_ids_find(const cg_ids *ids, uint16_t id) {
    void *const *page = ids->pages[id / CG_IDS_PAGE];
    return page == NULL ? NULL : page[id % CG_IDS_PAGE];
}

void cg_ids_set(cg_ids *ids, uint16_t id, void *what) {
    void ***page = &ids->pages[id / CG_IDS_PAGE];
    if (*page == NULL) *page = CG_NEW_ARRAY(ids->arena, void *, CG_IDS_PAGE);
    (*page)[id % CG_IDS_PAGE] = what;
}

void *cg_ids_next(const cg_ids *ids, uint32_t *id) {
    while (*id <= CG_IDS_MAX) {
        void *const *page = ids->pages[*id / CG_IDS_PAGE];
        void *const found = page == NULL ? NULL : page[*id % CG_IDS_PAGE];
        *id += page == NULL ? CG_IDS_PAGE - *id % CG_IDS_PAGE : 1;
        if (found != NULL) return found;
    }
    return NULL;
}
