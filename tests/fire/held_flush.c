/* Preloaded, it keeps every flush from returning as long as a file exists, and counts flushes by
 * the length of another. */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <fcntl.h>
#include <stdlib.h>
#include <unistd.h>

static int held(const char *name, int fd)
{
    int (*flush)(int) = (int (*)(int))dlsym(RTLD_NEXT, name);
    const char *hold = getenv("HELD_FLUSH_WHILE");
    const char *count = getenv("HELD_FLUSH_COUNT");
    int result = flush(fd);

    while (hold && access(hold, F_OK) == 0)
        usleep(1000);
    if (count) {
        int counter = open(count, O_WRONLY | O_APPEND);
        if (counter >= 0) {
            if (write(counter, ".", 1) != 1)
                abort();
            close(counter);
        }
    }
    return result;
}

int fsync(int fd) { return held("fsync", fd); }
int fdatasync(int fd) { return held("fdatasync", fd); }
