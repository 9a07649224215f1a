/* SPDX-License-Identifier: MIT */
/*
 * serve.c - the server of server.h for the tests of commands: FILE, then an act for each request.
 *
 * Prints its address, and ends when its standard input does.
 */
#include "config.h"

#include "server.h"

static enum act act_named(const char *name)
{
        return strcmp(name, "drop") == 0 ? DROP : strcmp(name, "stall") == 0 ? STALL : SERVE;
}

static uint8_t *read_file(const char *path, size_t *size)
{
        static uint8_t content[1 << 22];
        FILE *file = fopen(path, "rb");

        if (!file)
                return NULL;
        *size = fread(content, 1, sizeof content, file);
        fclose(file);
        return content;
}

int main(int argc, char **argv)
{
        static struct server server;
        enum act script[MAX_REQUESTS];
        int acts = argc - 2 < MAX_REQUESTS ? argc - 2 : MAX_REQUESTS;
        uint8_t *content;
        size_t size;

        if (argc < 3 || !(content = read_file(argv[1], &size)))
                return 2;
        for (int i = 0; i < acts; i++)
                script[i] = act_named(argv[2 + i]);
        if (!start_server(&server, content, size, script, acts))
                return 1;
        puts(server.address);
        fflush(stdout);
        while (getchar() != EOF)
                ;
        stop_server(&server);
        return 0;
}
