// A card works on by itself; this one only when somebody waits. Where ranks wait for each other that
// could last for ever, so queued collectives are run by a thread of their own after a while.
#pragma once

#include "stream.hpp"

namespace emulated {

// Sees to it that the stream gets to where it is now.
void ensure_progress(Stream &stream);

}  // namespace emulated
