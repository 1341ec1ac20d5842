/* serve.c: a directory of objects, until SIGINT or SIGTERM. */
#include "objects.h"

#include <stdio.h>

static int fail(const char *what, bp_err err) {
    complain(what, bp_err_text(err));
    return 1;
}

static int serve_objects(const command_line *options, bp_transfer_server *objects) {
    bp_server *server = NULL;
    char address[256];
    bp_transfer_stats stats;
    bp_server_config config = bp_server_config_default(bp_transfer_server_service(objects));
    config.handle_signals = true;
    config.conn.pool_config.memory_limit = options->memory;
    bp_err err = bp_server_new(&config, options->address, &server);
    if (err != BP_OK) return fail(options->address, err);
    if (bp_server_address(server, address, sizeof address) == BP_OK) {
        printf("objects of %s at %s\n", options->operands[0], address);
        fflush(stdout);
    }
    err = bp_server_run(server);
    bp_transfer_server_stats(objects, &stats);
    tell(options, bp_server_pool(server), &stats);
    bp_server_free_take(&server);
    return err == BP_OK ? 0 : fail(options->address, err);
}

int serve(const command_line *options) {
    bp_transfer_server_config config = {
        .part_size_max = (uint32_t)options->part_size,
        .parts_in_flight = (uint32_t)options->parts_in_flight,
    };
    bp_transfer_server *objects = NULL;
    bp_err err = bp_dir_store_new(options->operands[0], NULL, &config.store);
    if (err != BP_OK) return fail(options->operands[0], err);
    err = bp_transfer_server_new(&config, &objects);
    const int status = err == BP_OK ? serve_objects(options, objects) : fail("serve", err);
    bp_transfer_server_free_take(&objects);
    bp_store_release_take(&config.store);
    return status;
}
