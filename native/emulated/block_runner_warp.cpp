// Shuffles and votes: when all lanes of a warp have stopped, every request whose mask is complete
// is answered from what the lanes left in their contexts, and they go on; the others wait for ever,
// which is reported.
#include "block_runner.hpp"

namespace emulated {

void BlockRunner::settle_warp(int warp) {
  int first = warp * kWarpSize, end = warp_end(warp);
  while (answer_warp(warp)) {
    for (int k = first; k < end; k++) {
      int i = job_.reverse ? first + end - 1 - k : k;
      // Answered lanes are those marked running that are not on the processor.
      if (states_[i] == State::kRunning) resume(i);
    }
  }
  for (int i = first; i < end; i++) {
    if (states_[i] == State::kAtWarp) {
      stuck(threads_[i],
            format_text("waits for lanes of mask 0x%08x that never come", threads_[i].mask));
    }
  }
}

bool BlockRunner::answer_warp(int warp) {
  int first = warp * kWarpSize, end = warp_end(warp);
  unsigned existing = end - first == 32 ? ~0u : (1u << (end - first)) - 1;
  bool progress = false;
  unsigned ready = 0;
  for (int i = first; i < end; i++) {
    if (states_[i] != State::kAtWarp) continue;
    ThreadContext &lane = threads_[i];
    unsigned group = 0;
    for (int k = first; k < end; k++) {
      bool together = states_[k] == State::kAtWarp && threads_[k].mask == lane.mask &&
                      threads_[k].line == lane.line && threads_[k].op == lane.op;
      if (together) group |= 1u << (k - first);
    }
    if (!(lane.mask >> (i - first) & 1)) stuck(lane, "is not in its own mask");
    if ((lane.mask & existing & ~group) == 0) ready |= 1u << (i - first);
    // One look answers the whole group when it is the whole warp.
    if (ready && group == existing && lane.mask == ~0u) {
      ready = existing;
      break;
    }
  }
  for (int i = first; i < end; i++) {
    if (ready >> (i - first) & 1) answer(first, threads_[i]);
  }
  for (int i = first; i < end; i++) {
    if (!(ready >> (i - first) & 1)) continue;
    states_[i] = State::kRunning;
    progress = true;
  }
  return progress;
}

void BlockRunner::answer(int lane0, ThreadContext &lane) {
  if (lane.op == WarpOp::kShuffle) {
    unsigned existing = count_ - lane0 < kWarpSize ? count_ - lane0 : kWarpSize;
    if (lane.source < existing && !(lane.mask >> lane.source & 1)) {
      stuck(lane,
            format_text("reads lane %u, which is not in mask 0x%08x", lane.source, lane.mask));
    }
    lane.result = lane.source < existing ? threads_[lane0 + lane.source].value : lane.value;
  } else if (lane.op == WarpOp::kBallot) {
    lane.result = 0;
    for (int k = 0; k < kWarpSize && lane0 + k < count_; k++) {
      if ((lane.mask >> k & 1) && threads_[lane0 + k].source) lane.result |= 1u << k;
    }
  }
}

}  // namespace emulated
