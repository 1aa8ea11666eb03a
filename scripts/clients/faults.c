/* Preloaded into the server by Tests/Clients/FaultTests.swift: counts the calls that change files below a folder, and harms the n-th.
 *
 *   FAULT_FOLDER  a path; calls on files below it count
 *   FAULT_AT      which call: 1, 2, ...; 0: none, only count
 *   FAULT_KIND    kill-before, kill-after, EIO, ENOSPC (each for that call alone)
 *   FAULT_LOG     a file: one line for each call, by its number, name and path
 *   FAULT_ARMED   a file: calls count once it is there, so that a start may pass unharmed
 */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <sys/types.h>
#include <sys/uio.h>
#include <unistd.h>

static atomic_long calls;

/* Not through the functions that are counted here. */
static void note(long number, const char *name, const char *path) {
    const char *log = getenv("FAULT_LOG");
    if (!log) return;
    long file = syscall(SYS_openat, AT_FDCWD, log, O_WRONLY | O_CREAT | O_APPEND, 0600);
    if (file < 0) return;
    char line[PATH_MAX + 64];
    int length = snprintf(line, sizeof line, "%ld %s %s\n", number, name, path);
    syscall(SYS_write, file, line, (size_t)length);
    syscall(SYS_close, file);
}

/* What becomes of this call: 0 nothing, -1 killed after it, else an errno. Does not return where it is killed before it. */
static int verdict(const char *name, const char *path) {
    const char *folder = getenv("FAULT_FOLDER");
    const char *armed = getenv("FAULT_ARMED");
    if (!folder || strncmp(path, folder, strlen(folder)) != 0) return 0;
    if (armed && syscall(SYS_faccessat, AT_FDCWD, armed, F_OK) != 0) return 0;
    /* Shared between processes by the system alone, as a crash would leave it: no state of a store. */
    if (strstr(path, "-shm")) return 0;
    long number = atomic_fetch_add(&calls, 1) + 1;
    const char *at = getenv("FAULT_AT");
    const char *kind = getenv("FAULT_KIND");
    note(number, name, path);
    if (!at || !kind || number != atol(at)) return 0;
    if (!strcmp(kind, "kill-before")) syscall(SYS_kill, getpid(), SIGKILL);
    if (!strcmp(kind, "kill-after")) return -1;
    return !strcmp(kind, "ENOSPC") ? ENOSPC : EIO;
}

static int of_file(const char *name, int file) {
    char link[64], path[PATH_MAX];
    snprintf(link, sizeof link, "/proc/self/fd/%d", file);
    ssize_t length = readlink(link, path, sizeof path - 1);
    if (length < 0) return 0;
    path[length] = 0;
    return verdict(name, path);
}

#define REAL(name, type, ...) ((type(*)(__VA_ARGS__))dlsym(RTLD_NEXT, name))
#define CALL(type, fault, call)                                   \
    int fate = fault;                                             \
    if (fate > 0) { errno = fate; return -1; }                    \
    type result = call;                                           \
    if (fate < 0) syscall(SYS_kill, getpid(), SIGKILL);           \
    return result

ssize_t write(int f, const void *b, size_t n) { CALL(ssize_t, of_file("write", f), syscall(SYS_write, f, b, n)); }
ssize_t pwrite(int f, const void *b, size_t n, off_t o) { CALL(ssize_t, of_file("pwrite", f), syscall(SYS_pwrite64, f, b, n, o)); }
ssize_t pwrite64(int f, const void *b, size_t n, off64_t o) { CALL(ssize_t, of_file("pwrite", f), syscall(SYS_pwrite64, f, b, n, o)); }
ssize_t pwritev(int f, const struct iovec *v, int n, off_t o) {
    CALL(ssize_t, of_file("pwritev", f), REAL("pwritev", ssize_t, int, const struct iovec *, int, off_t)(f, v, n, o));
}
ssize_t pwritev64(int f, const struct iovec *v, int n, off64_t o) {
    CALL(ssize_t, of_file("pwritev", f), REAL("pwritev64", ssize_t, int, const struct iovec *, int, off64_t)(f, v, n, o));
}
int fsync(int f) { CALL(int, of_file("fsync", f), (int)syscall(SYS_fsync, f)); }
int fdatasync(int f) { CALL(int, of_file("fdatasync", f), (int)syscall(SYS_fdatasync, f)); }
int ftruncate(int f, off_t n) { CALL(int, of_file("ftruncate", f), (int)syscall(SYS_ftruncate, f, n)); }
int ftruncate64(int f, off64_t n) { CALL(int, of_file("ftruncate", f), (int)syscall(SYS_ftruncate, f, n)); }
int rename(const char *a, const char *b) { CALL(int, verdict("rename", b), (int)syscall(SYS_renameat2, AT_FDCWD, a, AT_FDCWD, b, 0)); }
int renameat(int d, const char *a, int e, const char *b) { CALL(int, verdict("rename", b), (int)syscall(SYS_renameat2, d, a, e, b, 0)); }
int unlink(const char *a) { CALL(int, verdict("unlink", a), (int)syscall(SYS_unlinkat, AT_FDCWD, a, 0)); }
int unlinkat(int d, const char *a, int g) { CALL(int, verdict("unlink", a), (int)syscall(SYS_unlinkat, d, a, g)); }
