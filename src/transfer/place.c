#define _GNU_SOURCE
/* Directories in which a client's transfers have files: one store for each, as long as anybody uses it. */
#include "transfer/client_internal.h"
#include "transfer/dir_store.h"

#include "base/os.h"

#include <string.h>

/* Bytes of the directory in a path: "a/b" has 1, "/b" has 1, "b" has none. */
static size_t directory_length(const bp_transfer *transfer) {
    const size_t length = (size_t)(transfer->file - transfer->path);
    return length > 1 ? length - 1 : length;
}

static bpi_place *find(bp_transfer_client *client, const char *path, size_t length) {
    bpi_place *place = client->places;
    while (place != NULL && (strncmp(place->path, path, length) != 0 || place->path[length] != '\0')) {
        place = place->next;
    }
    return place;
}

static bp_err make(bp_transfer_client *client, const char *path, size_t length, bpi_place **out) {
    const bp_dir_store_options options = {.is_followed = true};
    bpi_place *place = bpi_os.alloc(sizeof *place + length + 1);
    if (place == NULL) return BP_ERR_NO_MEMORY;
    memcpy(place->path, path, length);
    const bp_err err = bpi_dir_store_new_tidy(length == 0 ? "." : place->path, &options, &place->store);
    if (err != BP_OK) {
        bpi_os.free(place);
        return err;
    }
    place->next = client->places;
    place->at = &client->places;
    if (place->next != NULL) place->next->at = &place->next;
    client->places = place;
    *out = place;
    return BP_OK;
}

bp_err bpi_place_take(bp_transfer *transfer) {
    bp_transfer_client *client = transfer->client;
    const size_t length = directory_length(transfer);
    bpi_place *place = find(client, transfer->path, length);
    if (place == NULL) {
        const bp_err err = make(client, transfer->path, length, &place);
        if (err != BP_OK) return err;
    }
    place->user_count++;
    transfer->place = place;
    return BP_OK;
}

void bpi_place_give(bp_transfer *transfer) {
    bpi_place *place = transfer->place;
    transfer->place = NULL;
    if (place == NULL || --place->user_count != 0) return;
    *place->at = place->next;
    if (place->next != NULL) place->next->at = place->at;
    bp_store_release_take(&place->store);
    bpi_os.free(place);
}
