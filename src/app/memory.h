// How this process holds the memory that it frees (glibc's malloc). Called before the threads are made, but for
// give_memory_back().
#pragma once

namespace pinflow::app {

// For a sink: large buffers go back to the system at once, so that its memory is what it uses.
void keep_memory_small();

// For a stream worker: the buffers of a micro-batch are used for the next one, some 32 MiB for each arena. Handing them
// back and asking for them again costs a quarter of its time.
void keep_memory_warm();

// All that is free goes back to the system; for a worker to whom nothing comes. Any thread.
void give_memory_back();

}  // namespace pinflow::app
