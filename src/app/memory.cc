#include "app/memory.h"

#include <malloc.h>

namespace pinflow::app {
namespace {

// `large`: from here on a buffer is a mapping of its own. `kept`: free at the end of an arena.
void set(int large, int kept, int arenas) {
  ::mallopt(M_MMAP_THRESHOLD, large);
  ::mallopt(M_TRIM_THRESHOLD, kept);
  ::mallopt(M_ARENA_MAX, arenas);
}

}  // namespace

void keep_memory_small() { set(256 << 10, 4 << 20, 2); }

void keep_memory_warm() { set(32 << 20, 32 << 20, 4); }

void give_memory_back() { ::malloc_trim(0); }

}  // namespace pinflow::app
