// Preloaded into a run: counts its fsyncs and the time in them, and tells both to the file that
// $QANAT_BENCH_FSYNC_REPORT names. With QANAT_BENCH_FSYNC=skip they return at once: what a step costs beside them.
#define _GNU_SOURCE
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

static atomic_long calls, nanoseconds;

static long now_ns(void) {
  struct timespec now;
  clock_gettime(CLOCK_MONOTONIC, &now);
  return now.tv_sec * 1000000000L + now.tv_nsec;
}

static int account(long number, int fd) {
  static int skip = -1;
  if (skip < 0) {
    const char* asked = getenv("QANAT_BENCH_FSYNC");
    skip = asked != NULL && strcmp(asked, "skip") == 0;
  }
  const long began = now_ns();
  const int result = skip ? 0 : (int)syscall(number, fd);
  atomic_fetch_add(&nanoseconds, now_ns() - began);
  atomic_fetch_add(&calls, 1);
  return result;
}

int fsync(int fd) { return account(SYS_fsync, fd); }
int fdatasync(int fd) { return account(SYS_fdatasync, fd); }

__attribute__((destructor)) static void report(void) {
  const char* path = getenv("QANAT_BENCH_FSYNC_REPORT");
  FILE* out = path == NULL ? NULL : fopen(path, "w");
  if (out == NULL) return;
  fprintf(out, "%ld %ld\n", atomic_load(&calls), atomic_load(&nanoseconds));
  fclose(out);
}
