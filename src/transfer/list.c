#define _GNU_SOURCE
/* Lists: the server tells of some objects at a time, and is asked for those behind the last one. */
#include "transfer/client_internal.h"

static void begin(bp_transfer *list) {
    list->phase = BPI_PHASE_OPENING;
    bpi_job_due(list);
}

static bp_err say(bp_transfer *list, bpi_link *link) {
    uint8_t value[BPI_TRANSFER_LIST_MAX];
    uint32_t length;
    (void)link;
    if (list->phase != BPI_PHASE_OPENING || list->strand.number != 0) return BP_MORE;
    bpi_transfer_list ask = {.transfer = bpi_job_next_number(list),
                             .prefix_length = (uint16_t)strlen(list->name),
                             .after_length = (uint16_t)strlen(list->of.list.after)};
    memcpy(ask.prefix, list->name, ask.prefix_length);
    memcpy(ask.after, list->of.list.after, ask.after_length);
    const bp_err err = bpi_transfer_list_encode(&ask, value, sizeof value, &length);
    return err == BP_OK ? bpi_job_say_first(list, BPI_TRANSFER_LIST_TYPE, value, length) : err;
}

/* Each name lies behind the one before: a list that went back would have no end. */
void bpi_list_listed(bp_transfer *list, const bpi_transfer_listed_view *view) {
    const bp_text name = bpi_transfer_listed_get_name(view);
    char *after = list->of.list.after, told[BP_OBJECT_NAME_MAX + 1];
    memcpy(told, name.data, name.length);
    told[name.length] = '\0';
    if (strlen(told) != name.length || strcmp(told, after) <= 0 || strncmp(told, list->name, strlen(list->name)) != 0) {
        bpi_job_end(list, BP_ERR_ORDER, BP_PART_NONE, "the server told of an object that was not asked for");
        return;
    }
    memcpy(after, told, name.length + 1);
    list->of.list.has_told = true;
    const bp_object_info object = {.name = told,
                                   .size = bpi_transfer_listed_get_size(view),
                                   .version = bpi_transfer_listed_get_version(view)};
    list->of.list.on_object(list, &object, list->user);
}

void bpi_list_ended(bp_transfer *list, bool has_more) {
    const bool is_endless = has_more && !list->of.list.has_told;
    bpi_job_forget_number(list);
    list->of.list.has_told = false;
    if (!has_more || is_endless)
        bpi_job_end(list, is_endless ? BP_ERR_ORDER : BP_OK, BP_PART_NONE, NULL);
    else
        bpi_job_due(list);
}

const bpi_kind bpi_list_kind = {.begin = begin, .say = say};

bp_err bp_transfer_client_list(bp_transfer_client *client, const bp_list_config *config, bp_transfer **out) {
    const bpi_job_config common = {.name = config->prefix == NULL ? "" : config->prefix,
                                   .deadline_ms = config->deadline_ms,
                                   .on_done = config->on_done,
                                   .user = config->user};
    *out = NULL;
    if (config->on_object == NULL) return BP_ERR_ARGUMENT;
    bp_transfer *list = NULL;
    const bp_err err = bpi_job_new(client, &bpi_list_kind, &common, &list);
    if (err != BP_OK) return err;
    list->of.list.on_object = config->on_object;
    bpi_client_joined(list);
    *out = list;
    return BP_OK;
}
