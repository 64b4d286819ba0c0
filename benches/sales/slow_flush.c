/* Preloaded, it makes every flush take longer, as on a disk that has to move something: the real
 * call is made first, so nothing is less durable than before. */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <stdlib.h>
#include <unistd.h>

static int slowly(const char *name, int fd)
{
    int (*flush)(int) = (int (*)(int))dlsym(RTLD_NEXT, name);
    const char *micros = getenv("SLOW_FLUSH_MICROS");
    int result = flush(fd);

    if (micros)
        usleep((useconds_t)atoi(micros));
    return result;
}

int fsync(int fd) { return slowly("fsync", fd); }
int fdatasync(int fd) { return slowly("fdatasync", fd); }
